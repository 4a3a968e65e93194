"""The server's end of the link: who is connected, what goes out to each client, where its replies wait."""
