"""`python -m node` is `zhitong`."""

from __future__ import annotations

from node.cli.main import run

if __name__ == "__main__":
    run()
