"""FedLoom's web application with the embedded federation server."""
