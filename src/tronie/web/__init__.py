"""The page and the HTTP service: `tronie serve`, the extra `web`. Thin: the work is done in `tronie.service`."""
