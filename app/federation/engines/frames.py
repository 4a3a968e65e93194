"""Messages as they travel to the process of an engine: contents that several share travel once."""

from __future__ import annotations

from collections.abc import Sequence

from app.federation.engines.carrier import Letter
from app.federation.link.task import Task, TaskContent
from shared.app_host.channel import Frame
from shared.app_host.codec import decode_content, decode_envelope

Layout = dict[str, list[list[int]]]
"""Of a frame: of each content, which of the frame's parts it has; of each message the part that is its
envelope, the place of its content, and the id of its node."""


def layout_of(tasks: Sequence[tuple[Task, int]]) -> tuple[Layout, list[bytes]]:
    """The layout and the parts of a frame with these messages, each for a node by its id."""
    layout: Layout = {"contents": [], "messages": []}
    parts: list[bytes] = []
    places: dict[int, int] = {}
    for task, node_id in tasks:
        place = places.setdefault(id(task.content), len(places))
        if place == len(layout["contents"]):
            layout["contents"].append(_added(parts, task.content))
        parts.append(bytes(task.opening.data))
        layout["messages"].append([len(parts) - 1, place, node_id])
    return layout, parts


def letters_of(frame: Frame) -> list[Letter]:
    """The messages of a frame, which `layout_of` has made."""
    contents = []
    for first, *others in frame.fields["contents"]:
        contents.append((frame.parts[first], [frame.parts[each] for each in others]))
    opened = [decode_content(skeleton, arrays) for skeleton, arrays in contents]
    letters = []
    for envelope, content, node_id in frame.fields["messages"]:
        message = decode_envelope(frame.parts[envelope] + contents[content][0])
        message.content = opened[content]
        letters.append(Letter(message, node_id))
    return letters


def _added(parts: list[bytes], content: TaskContent) -> list[int]:
    first = len(parts)
    parts += [content.skeleton, *content.arrays]
    return list(range(first, len(parts)))
