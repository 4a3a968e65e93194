"""What tests share: processes, the page's side of the API, and waiting for conditions."""
