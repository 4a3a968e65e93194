"""Who may open the page, REST and the socket: users, sessions, tokens, and whoever started the server."""
