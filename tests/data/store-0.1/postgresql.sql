CREATE TABLE public.client_rounds (
    run_id text NOT NULL,
    round bigint NOT NULL,
    client_id text NOT NULL,
    train_loss double precision,
    loss double precision,
    accuracy double precision,
    samples bigint,
    train_s double precision,
    evaluate_s double precision,
    late boolean NOT NULL,
    metrics json NOT NULL,
    error text
);
CREATE TABLE public.clients (
    id text NOT NULL,
    app text,
    dataset text NOT NULL,
    models json NOT NULL,
    samples bigint,
    label_counts json,
    partition bigint,
    num_partitions bigint,
    host text NOT NULL,
    device text NOT NULL,
    connected_at double precision NOT NULL,
    last_seen double precision NOT NULL,
    train_loss double precision,
    loss double precision,
    accuracy double precision
);
CREATE TABLE public.events (
    seq bigint NOT NULL,
    "time" double precision NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    run_id text,
    data json NOT NULL
);
CREATE TABLE public.fedloom_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.logs (
    seq bigint NOT NULL,
    "time" double precision NOT NULL,
    level text NOT NULL,
    source text NOT NULL,
    logger text NOT NULL,
    message text NOT NULL,
    run_id text,
    traceback text
);
CREATE TABLE public.rounds (
    run_id text NOT NULL,
    round bigint NOT NULL,
    complete boolean NOT NULL,
    train_loss double precision,
    loss double precision,
    accuracy double precision,
    client_loss double precision,
    client_accuracy double precision,
    class_accuracy json,
    confusion json,
    clients bigint NOT NULL,
    started_at double precision NOT NULL,
    duration_s double precision
);
CREATE TABLE public.run_clients (
    run_id text NOT NULL,
    client_id text NOT NULL,
    partition bigint NOT NULL
);
CREATE TABLE public.run_internals (
    run_id text NOT NULL,
    secret bytea NOT NULL,
    num_partitions bigint
);
CREATE TABLE public.runs (
    id text NOT NULL,
    added_seq bigint NOT NULL,
    state text NOT NULL,
    reason text,
    spec json NOT NULL,
    round bigint NOT NULL,
    num_rounds bigint,
    clients json NOT NULL,
    created_at double precision NOT NULL,
    started_at double precision,
    finished_at double precision,
    final json,
    error text,
    classes json NOT NULL,
    can_resume boolean NOT NULL
);
INSERT INTO public.client_rounds VALUES ('75da4da2', 1, 'client-2', 0.9039989732716182, 0.7316573814109519, 0.7037037037037037, 730, 0.01652690899936715, 0.0006461129996750969, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('75da4da2', 1, 'client-1', 1.1464862147121564, 1.7007933117094494, 0.5079365079365079, 564, 0.08020220099933795, 0.0005398349967435934, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('75da4da2', 2, 'client-2', 0.33278831586445845, 0.2789426261996045, 0.9382716049382716, 730, 0.008151286998327123, 0.000607747002504766, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('75da4da2', 2, 'client-1', 0.5525268662905862, 0.6357311672634549, 0.8095238095238095, 564, 0.027896997999050654, 0.0005278569988149684, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('75da4da2', 3, 'client-1', 0.28595143852504434, 0.530953361874535, 0.8412698412698413, 564, 0.008048304000112694, 0.0009810529991227668, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('75da4da2', 3, 'client-2', 0.19366643200181935, 0.1910800345150041, 0.9506172839506173, 730, 0.029552086001785938, 0.0006233490021259058, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('4190e0e2', 1, 'client-1', 1.150774691967254, 1.3825621831984747, 0.5238095238095238, 564, 0.0037781850005558226, 0.0006069150003895629, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('4190e0e2', 1, 'client-2', 0.9151502635380994, 0.8200793796115451, 0.691358024691358, 730, 0.04965068299861741, 0.0035666399999172427, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('2bdab92d', 1, 'client-2', 0.41604979353952626, 0.4758353056731047, 0.8024691358024691, 730, 0.02617070299675106, 0.0005908420025662053, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('2bdab92d', 1, 'client-1', 0.545513144057975, 0.6293875679137215, 0.7936507936507936, 564, 0.045831888000975596, 0.00045433799823513255, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('2bdab92d', 2, 'client-1', 0.16363669681774526, 0.4553801521422371, 0.873015873015873, 564, 0.02384141899892711, 0.0005974009982310236, false, '{}', NULL);
INSERT INTO public.client_rounds VALUES ('2bdab92d', 2, 'client-2', 0.1316255752354452, 0.14812577800986207, 0.9629629629629629, 730, 0.03898182100238046, 0.0006443709971790668, false, '{}', NULL);
INSERT INTO public.clients VALUES ('client-2', NULL, 'digits', '["cnn", "linear"]', 730, '[124, 37, 27, 110, 7, 73, 100, 131, 3, 118]', 1, 2, 'vm', 'cpu', 1795731701.4651897, 1795731703.1156292, 0.08280041141597104, 0.14812577800986207, 0.9629629629629629);
INSERT INTO public.clients VALUES ('client-1', NULL, 'digits', '["cnn", "linear"]', 564, '[1, 95, 104, 26, 126, 60, 23, 0, 117, 12]', 0, 2, 'vm', 'cpu', 1795731701.5352252, 1795731703.0080085, 0.12835917912476452, 0.4553801521422371, 0.873015873015873);
INSERT INTO public.events VALUES (2, 1795731658.3479235, 'run_update', '75da4da2', '75da4da2', '{"state": "queued", "reason": null, "round": 0}');
INSERT INTO public.events VALUES (3, 1795731658.4086185, 'run_update', '75da4da2', '75da4da2', '{"state": "waiting", "reason": "loading the data set digits", "round": 0}');
INSERT INTO public.events VALUES (5, 1795731677.9839869, 'metrics_update', '75da4da2', '75da4da2', '{"round": 0, "loss": 2.4171605017191853, "accuracy": 0.12813370473537605, "clients": 0}');
INSERT INTO public.events VALUES (10, 1795731701.4652636, 'client_update', 'client-2', NULL, '{"state": "connected", "reason": null}');
INSERT INTO public.events VALUES (15, 1795731701.535251, 'client_update', 'client-1', NULL, '{"state": "connected", "reason": null}');
INSERT INTO public.events VALUES (17, 1795731701.5360594, 'run_update', '75da4da2', '75da4da2', '{"state": "running", "reason": null, "round": 0}');
INSERT INTO public.events VALUES (49, 1795731701.8585656, 'metrics_update', '75da4da2', '75da4da2', '{"round": 1, "loss": 0.9979620378329561, "accuracy": 0.6963788300835655, "clients": 2}');
INSERT INTO public.events VALUES (72, 1795731702.0638459, 'metrics_update', '75da4da2', '75da4da2', '{"round": 2, "loss": 0.338455412713266, "accuracy": 0.9136490250696379, "clients": 2}');
INSERT INTO public.events VALUES (100, 1795731702.204475, 'run_update', '75da4da2', '75da4da2', '{"state": "completed", "reason": null, "round": 3}');
INSERT INTO public.events VALUES (106, 1795731702.242555, 'run_update', '4190e0e2', '4190e0e2', '{"state": "queued", "reason": null, "round": 0}');
INSERT INTO public.events VALUES (97, 1795731702.2040932, 'metrics_update', '75da4da2', '75da4da2', '{"round": 3, "loss": 0.2551245729239206, "accuracy": 0.9415041782729805, "clients": 2}');
INSERT INTO public.events VALUES (107, 1795731702.2832816, 'run_update', '4190e0e2', '4190e0e2', '{"state": "waiting", "reason": "loading the data set digits", "round": 0}');
INSERT INTO public.events VALUES (109, 1795731702.3994348, 'metrics_update', '4190e0e2', '4190e0e2', '{"round": 0, "loss": 2.4171605017191853, "accuracy": 0.12813370473537605, "clients": 0}');
INSERT INTO public.events VALUES (112, 1795731702.4020023, 'run_update', '4190e0e2', '4190e0e2', '{"state": "running", "reason": null, "round": 0}');
INSERT INTO public.events VALUES (140, 1795731702.5381074, 'metrics_update', '4190e0e2', '4190e0e2', '{"round": 1, "loss": 0.922373312097406, "accuracy": 0.6991643454038997, "clients": 2}');
INSERT INTO public.events VALUES (150, 1795731702.614969, 'run_update', '4190e0e2', '4190e0e2', '{"state": "stopped", "reason": "stopped by request", "round": 2}');
INSERT INTO public.events VALUES (155, 1795731702.620405, 'run_update', '2bdab92d', '2bdab92d', '{"state": "queued", "reason": null, "round": 0}');
INSERT INTO public.events VALUES (156, 1795731702.6244586, 'run_update', '2bdab92d', '2bdab92d', '{"state": "waiting", "reason": "loading the data set digits", "round": 0}');
INSERT INTO public.events VALUES (161, 1795731702.6626375, 'run_update', '2bdab92d', '2bdab92d', '{"state": "running", "reason": null, "round": 0}');
INSERT INTO public.events VALUES (158, 1795731702.658934, 'metrics_update', '2bdab92d', '2bdab92d', '{"round": 0, "loss": 2.4171605017191853, "accuracy": 0.12813370473537605, "clients": 0}');
INSERT INTO public.events VALUES (192, 1795731702.8090181, 'metrics_update', '2bdab92d', '2bdab92d', '{"round": 1, "loss": 0.48120831247823814, "accuracy": 0.83008356545961, "clients": 2}');
INSERT INTO public.events VALUES (216, 1795731702.9875712, 'metrics_update', '2bdab92d', '2bdab92d', '{"round": 2, "loss": 0.21468357521843445, "accuracy": 0.9387186629526463, "clients": 2}');
INSERT INTO public.fedloom_version VALUES ('0001');
INSERT INTO public.logs VALUES (1, 1795731658.2081146, 'info', 'server', 'app.webserver', 'FedLoom is ready at http://localhost:5931 (clients connect to port 5932)', NULL, NULL);
INSERT INTO public.logs VALUES (7, 1795731677.98427, 'info', 'server', 'app.federation.rounds', 'round 0 (initial model): accuracy 12.8%, loss 2.4172', '75da4da2', NULL);
INSERT INTO public.logs VALUES (8, 1795731677.984499, 'info', 'server', 'app.federation.active_run', 'run 75da4da2 is waiting for 2 more clients (0 of 2)', '75da4da2', NULL);
INSERT INTO public.logs VALUES (11, 1795731701.494437, 'info', 'server', 'app.federation.link_server', 'client-2 connected from vm with digits on cpu', NULL, NULL);
INSERT INTO public.logs VALUES (12, 1795731701.507908, 'info', 'server', 'app.federation.active_run', 'run 75da4da2 is waiting for 1 more client (1 of 2)', '75da4da2', NULL);
INSERT INTO public.logs VALUES (14, 1795731701.5349643, 'info', 'client-2', 'client.link', 'connected to the server at 127.0.0.1:5932', NULL, NULL);
INSERT INTO public.logs VALUES (16, 1795731701.5354831, 'info', 'server', 'app.federation.link_server', 'client-1 connected from vm with digits on cpu', NULL, NULL);
INSERT INTO public.logs VALUES (19, 1795731701.5667524, 'info', 'client-1', 'client.link', 'connected to the server at 127.0.0.1:5932', NULL, NULL);
INSERT INTO public.logs VALUES (26, 1795731701.6125655, 'info', 'client-2', 'client.runtime', 'takes part in run 75da4da2 with part 1 of 2', NULL, NULL);
INSERT INTO public.logs VALUES (27, 1795731701.6139026, 'info', 'client-1', 'client.runtime', 'takes part in run 75da4da2 with part 0 of 2', NULL, NULL);
INSERT INTO public.logs VALUES (51, 1795731701.8588088, 'info', 'server', 'app.federation.rounds', 'round 1 aggregated from 2 of 2 clients: accuracy 69.6%, loss 0.9980, clients'' accuracy 61.8%, clients'' loss 1.1557', '75da4da2', NULL);
INSERT INTO public.logs VALUES (74, 1795731702.0640547, 'info', 'server', 'app.federation.rounds', 'round 2 aggregated from 2 of 2 clients: accuracy 91.4%, loss 0.3385, clients'' accuracy 88.2%, clients'' loss 0.4350', '75da4da2', NULL);
INSERT INTO public.logs VALUES (99, 1795731702.2042687, 'info', 'server', 'app.federation.rounds', 'round 3 aggregated from 2 of 2 clients: accuracy 94.2%, loss 0.2551, clients'' accuracy 90.3%, clients'' loss 0.3398', '75da4da2', NULL);
INSERT INTO public.logs VALUES (101, 1795731702.2045302, 'info', 'server', 'app.federation.runs', 'run 75da4da2 completed', '75da4da2', NULL);
INSERT INTO public.logs VALUES (111, 1795731702.4016929, 'info', 'server', 'app.federation.rounds', 'round 0 (initial model): accuracy 12.8%, loss 2.4172', '4190e0e2', NULL);
INSERT INTO public.logs VALUES (120, 1795731702.4306445, 'info', 'client-2', 'client.runtime', 'takes part in run 4190e0e2 with part 1 of 2', NULL, NULL);
INSERT INTO public.logs VALUES (122, 1795731702.4335432, 'info', 'client-1', 'client.runtime', 'takes part in run 4190e0e2 with part 0 of 2', NULL, NULL);
INSERT INTO public.logs VALUES (142, 1795731702.5383034, 'info', 'server', 'app.federation.rounds', 'round 1 aggregated from 2 of 2 clients: accuracy 69.9%, loss 0.9224, clients'' accuracy 61.8%, clients'' loss 1.0662', '4190e0e2', NULL);
INSERT INTO public.logs VALUES (151, 1795731702.6151152, 'info', 'server', 'app.federation.runs', 'run 4190e0e2 stopped: stopped by request', '4190e0e2', NULL);
INSERT INTO public.logs VALUES (160, 1795731702.6591413, 'info', 'server', 'app.federation.rounds', 'round 0 (initial model): accuracy 12.8%, loss 2.4172', '2bdab92d', NULL);
INSERT INTO public.logs VALUES (169, 1795731702.6943874, 'info', 'client-1', 'client.runtime', 'takes part in run 2bdab92d with part 0 of 2', NULL, NULL);
INSERT INTO public.logs VALUES (170, 1795731702.6944685, 'info', 'client-2', 'client.runtime', 'takes part in run 2bdab92d with part 1 of 2', NULL, NULL);
INSERT INTO public.logs VALUES (194, 1795731702.8092012, 'info', 'server', 'app.federation.rounds', 'round 1 aggregated from 2 of 2 clients: accuracy 83.0%, loss 0.4812, clients'' accuracy 79.9%, clients'' loss 0.5430', '2bdab92d', NULL);
INSERT INTO public.logs VALUES (218, 1795731702.9877343, 'info', 'server', 'app.federation.rounds', 'round 2 aggregated from 2 of 2 clients: accuracy 93.9%, loss 0.2147, clients'' accuracy 92.4%, clients'' loss 0.2825', '2bdab92d', NULL);
INSERT INTO public.rounds VALUES ('75da4da2', 0, true, NULL, 2.4171605017191853, 0.12813370473537605, NULL, NULL, '[0.75, 0.0, 0.02857142857142857, 0.13513513513513514, 0.0, 0.1111111111111111, 0.0, 0.1111111111111111, 0.11428571428571428, 0.027777777777777776]', '[[27, 0, 0, 3, 4, 0, 0, 0, 0, 2], [22, 0, 0, 2, 0, 6, 0, 3, 0, 3], [5, 0, 1, 0, 1, 20, 0, 0, 6, 2], [11, 2, 0, 5, 0, 2, 3, 0, 5, 9], [13, 0, 0, 5, 0, 0, 0, 17, 0, 1], [13, 0, 0, 3, 3, 4, 5, 6, 0, 2], [2, 0, 0, 7, 0, 0, 0, 0, 0, 27], [19, 0, 0, 0, 0, 0, 13, 4, 0, 0], [18, 0, 0, 2, 0, 0, 1, 0, 4, 10], [4, 8, 1, 13, 0, 0, 7, 1, 1, 1]]', 0, 1795731677.8608131, 0.12314642099954654);
INSERT INTO public.rounds VALUES ('75da4da2', 1, true, 1.0096889301282361, 0.9979620378329561, 0.6963788300835655, 1.1556543509165447, 0.6180555555555556, '[0.6666666666666666, 1.0, 0.9428571428571428, 0.972972972972973, 0.3055555555555556, 1.0, 1.0, 0.4166666666666667, 0.0, 0.6388888888888888]', '[[24, 0, 0, 1, 0, 5, 5, 0, 0, 1], [0, 36, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 33, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 36, 0, 0, 0, 0, 0, 0], [0, 16, 0, 0, 11, 2, 7, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 11, 5, 2, 0, 3, 0, 15, 0, 0], [0, 20, 4, 5, 0, 5, 1, 0, 0, 0], [0, 5, 1, 6, 0, 1, 0, 0, 0, 23]]', 2, 1795731701.607833, 0.24359156400169013);
INSERT INTO public.rounds VALUES ('75da4da2', 2, true, 0.42856307818311073, 0.338455412713266, 0.9136490250696379, 0.43503761291503906, 0.8819444444444444, '[0.9722222222222222, 0.9444444444444444, 0.9714285714285714, 0.972972972972973, 0.8888888888888888, 1.0, 1.0, 0.8888888888888888, 0.6, 0.8888888888888888]', '[[35, 0, 0, 0, 0, 1, 0, 0, 0, 0], [0, 34, 0, 0, 0, 1, 1, 0, 0, 0], [0, 0, 34, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 36, 0, 1, 0, 0, 0, 0], [0, 4, 0, 0, 32, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 32, 0, 2], [0, 2, 3, 2, 0, 5, 0, 0, 21, 2], [0, 1, 0, 2, 0, 1, 0, 0, 0, 32]]', 2, 1795731701.8596728, 0.2041636780013505);
INSERT INTO public.rounds VALUES ('75da4da2', 3, true, 0.2338895724029777, 0.2551245729239206, 0.9415041782729805, 0.33977461523479885, 0.9027777777777778, '[1.0, 0.9444444444444444, 1.0, 0.9459459459459459, 0.9444444444444444, 1.0, 1.0, 0.9166666666666666, 0.7142857142857143, 0.9444444444444444]', '[[36, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 34, 0, 0, 0, 1, 1, 0, 0, 0], [0, 0, 35, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 35, 0, 1, 0, 0, 0, 0], [0, 2, 0, 0, 34, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 33, 0, 1], [0, 2, 0, 2, 0, 3, 0, 0, 25, 3], [0, 1, 0, 1, 0, 0, 0, 0, 0, 34]]', 2, 1795731702.066982, 0.1371013749994745);
INSERT INTO public.rounds VALUES ('4190e0e2', 0, true, NULL, 2.4171605017191853, 0.12813370473537605, NULL, NULL, '[0.75, 0.0, 0.02857142857142857, 0.13513513513513514, 0.0, 0.1111111111111111, 0.0, 0.1111111111111111, 0.11428571428571428, 0.027777777777777776]', '[[27, 0, 0, 3, 4, 0, 0, 0, 0, 2], [22, 0, 0, 2, 0, 6, 0, 3, 0, 3], [5, 0, 1, 0, 1, 20, 0, 0, 6, 2], [11, 2, 0, 5, 0, 2, 3, 0, 5, 9], [13, 0, 0, 5, 0, 0, 0, 17, 0, 1], [13, 0, 0, 3, 3, 4, 5, 6, 0, 2], [2, 0, 0, 7, 0, 0, 0, 0, 0, 27], [19, 0, 0, 0, 0, 0, 13, 4, 0, 0], [18, 0, 0, 2, 0, 0, 1, 0, 4, 10], [4, 8, 1, 13, 0, 0, 7, 1, 1, 1]]', 0, 1795731702.2957907, 0.10362053900098545);
INSERT INTO public.rounds VALUES ('4190e0e2', 1, true, 1.0178490097777, 0.922373312097406, 0.6991643454038997, 1.066165606180827, 0.6180555555555556, '[0.5833333333333334, 0.9722222222222222, 0.9428571428571428, 0.972972972972973, 0.4166666666666667, 1.0, 1.0, 0.5, 0.0, 0.5833333333333334]', '[[21, 0, 0, 1, 1, 5, 7, 0, 0, 1], [0, 35, 0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 33, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 36, 0, 0, 0, 0, 0, 0], [0, 13, 0, 0, 15, 2, 6, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 8, 4, 3, 0, 3, 0, 18, 0, 0], [0, 17, 3, 9, 0, 5, 1, 0, 0, 0], [0, 6, 1, 8, 0, 0, 0, 0, 0, 21]]', 2, 1795731702.4283764, 0.10971127299853833);
INSERT INTO public.rounds VALUES ('2bdab92d', 0, true, NULL, 2.4171605017191853, 0.12813370473537605, NULL, NULL, '[0.75, 0.0, 0.02857142857142857, 0.13513513513513514, 0.0, 0.1111111111111111, 0.0, 0.1111111111111111, 0.11428571428571428, 0.027777777777777776]', '[[27, 0, 0, 3, 4, 0, 0, 0, 0, 2], [22, 0, 0, 2, 0, 6, 0, 3, 0, 3], [5, 0, 1, 0, 1, 20, 0, 0, 6, 2], [11, 2, 0, 5, 0, 2, 3, 0, 5, 9], [13, 0, 0, 5, 0, 0, 0, 17, 0, 1], [13, 0, 0, 3, 3, 4, 5, 6, 0, 2], [2, 0, 0, 7, 0, 0, 0, 0, 0, 27], [19, 0, 0, 0, 0, 0, 13, 4, 0, 0], [18, 0, 0, 2, 0, 0, 1, 0, 4, 10], [4, 8, 1, 13, 0, 0, 7, 1, 1, 1]]', 0, 1795731702.6363487, 0.022567158997844672);
INSERT INTO public.rounds VALUES ('2bdab92d', 1, true, 0.47247740535745913, 0.48120831247823814, 0.83008356545961, 0.5430144204033746, 0.7986111111111112, '[0.6944444444444444, 0.9722222222222222, 0.9714285714285714, 0.9459459459459459, 0.8888888888888888, 1.0, 1.0, 0.4166666666666667, 0.4857142857142857, 0.9166666666666666]', '[[25, 0, 0, 0, 1, 5, 3, 0, 0, 2], [0, 35, 0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 34, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 35, 0, 1, 0, 0, 0, 0], [0, 3, 0, 0, 32, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 4, 6, 7, 2, 0, 15, 1, 1], [0, 7, 1, 5, 0, 3, 0, 0, 17, 2], [0, 1, 0, 1, 0, 1, 0, 0, 0, 33]]', 2, 1795731702.6726577, 0.13635132600029465);
INSERT INTO public.rounds VALUES ('2bdab92d', 2, true, 0.1455778724320582, 0.21468357521843445, 0.9387186629526463, 0.28254956669277614, 0.9236111111111112, '[0.9722222222222222, 0.9722222222222222, 0.9714285714285714, 0.972972972972973, 0.9166666666666666, 1.0, 1.0, 0.9444444444444444, 0.6857142857142857, 0.9444444444444444]', '[[35, 0, 0, 0, 0, 1, 0, 0, 0, 0], [0, 35, 0, 0, 0, 0, 1, 0, 0, 0], [0, 1, 34, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 36, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 33, 0, 2, 0, 0, 0], [0, 0, 0, 0, 0, 36, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 36, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 34, 0, 1], [0, 3, 1, 1, 0, 3, 0, 0, 24, 3], [0, 1, 0, 1, 0, 0, 0, 0, 0, 34]]', 2, 1795731702.8100352, 0.17752969399953145);
INSERT INTO public.run_clients VALUES ('75da4da2', 'client-1', 0);
INSERT INTO public.run_clients VALUES ('75da4da2', 'client-2', 1);
INSERT INTO public.run_clients VALUES ('4190e0e2', 'client-1', 0);
INSERT INTO public.run_clients VALUES ('4190e0e2', 'client-2', 1);
INSERT INTO public.run_clients VALUES ('2bdab92d', 'client-1', 0);
INSERT INTO public.run_clients VALUES ('2bdab92d', 'client-2', 1);
INSERT INTO public.run_internals VALUES ('75da4da2', '\xfaf7a9753d53ac00d65485fc70788fbda5860afeb8d643808249127404ecf589', 2);
INSERT INTO public.run_internals VALUES ('4190e0e2', '\x9edc1720a8f99acee6734da4fa740f013a4b9e97b69b423babfc55387e697bcb', 2);
INSERT INTO public.run_internals VALUES ('2bdab92d', '\xf7feba250cae7dce6e5c6f7db02528b08932760a13ace9b3a872693885cafa91', 2);
INSERT INTO public.runs VALUES ('75da4da2', 2, 'completed', NULL, '{"app": null, "run_config": {}, "dataset": "digits", "model": "linear", "num_rounds": 3, "min_clients": 2, "num_partitions": null, "strategy": "fedavg", "strategy_params": {}, "local_epochs": 1, "batch_size": 32, "lr": 0.05, "alpha": 0.5, "seed": 7, "fraction_train": 1.0, "fraction_evaluate": 1.0, "round_timeout_s": null, "min_replies": 1, "min_reply_share": 0.0, "keep_checkpoints": 3}', 3, 3, '["client-1", "client-2"]', 1795731658.3478367, 1795731701.5360687, 1795731702.2044663, '{"loss": 0.2551245729239206, "accuracy": 0.9415041782729805}', NULL, '["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]', false);
INSERT INTO public.runs VALUES ('4190e0e2', 106, 'stopped', 'stopped by request', '{"app": null, "run_config": {}, "dataset": "digits", "model": "linear", "num_rounds": 500, "min_clients": 2, "num_partitions": null, "strategy": "fedprox", "strategy_params": {}, "local_epochs": 1, "batch_size": 32, "lr": 0.05, "alpha": 0.5, "seed": 7, "fraction_train": 1.0, "fraction_evaluate": 1.0, "round_timeout_s": null, "min_replies": 1, "min_reply_share": 0.0, "keep_checkpoints": 3}', 2, 500, '["client-1", "client-2"]', 1795731702.2424202, 1795731702.402009, 1795731702.6149461, '{"loss": 0.922373312097406, "accuracy": 0.6991643454038997}', NULL, '["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]', false);
INSERT INTO public.runs VALUES ('2bdab92d', 155, 'running', NULL, '{"app": null, "run_config": {}, "dataset": "digits", "model": "linear", "num_rounds": 40, "min_clients": 2, "num_partitions": null, "strategy": "fedavg", "strategy_params": {}, "local_epochs": 3, "batch_size": 32, "lr": 0.05, "alpha": 0.5, "seed": 7, "fraction_train": 1.0, "fraction_evaluate": 1.0, "round_timeout_s": null, "min_replies": 1, "min_reply_share": 0.0, "keep_checkpoints": 3}', 3, 40, '["client-1", "client-2"]', 1795731702.620341, 1795731702.6626434, NULL, '{"loss": 0.21468357521843445, "accuracy": 0.9387186629526463}', NULL, '["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]', false);
ALTER TABLE ONLY public.client_rounds
    ADD CONSTRAINT client_rounds_pkey PRIMARY KEY (run_id, round, client_id);
ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.fedloom_version
    ADD CONSTRAINT fedloom_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.logs
    ADD CONSTRAINT logs_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.rounds
    ADD CONSTRAINT rounds_pkey PRIMARY KEY (run_id, round);
ALTER TABLE ONLY public.run_clients
    ADD CONSTRAINT run_clients_pkey PRIMARY KEY (run_id, client_id);
ALTER TABLE ONLY public.run_internals
    ADD CONSTRAINT run_internals_pkey PRIMARY KEY (run_id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);
CREATE INDEX ix_events_run_id_seq ON public.events USING btree (run_id, seq);
CREATE INDEX ix_logs_level_seq ON public.logs USING btree (level, seq);
CREATE INDEX ix_logs_run_id_seq ON public.logs USING btree (run_id, seq);
CREATE INDEX ix_logs_source_seq ON public.logs USING btree (source, seq);
ALTER TABLE ONLY public.client_rounds
    ADD CONSTRAINT client_rounds_run_id_round_fkey FOREIGN KEY (run_id, round) REFERENCES public.rounds(run_id, round) ON DELETE CASCADE;
ALTER TABLE ONLY public.rounds
    ADD CONSTRAINT rounds_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;
