"""The web application's edge: the two web servers, Socket.IO, and what is asked of every request."""
