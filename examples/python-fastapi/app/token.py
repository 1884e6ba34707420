"""Prints a token, for trying the application by hand: `python -m app.token merchant UUID`.

In production they are issued by Supabase's login.
"""

from __future__ import annotations

import os
import sys
import time
from uuid import UUID

import jwt


def issue(secret: str, role: str, subject: UUID, seconds: int = 3600) -> str:
    """A token in the shape of Supabase's."""
    now = int(time.time())
    claims = {
        "aud": "authenticated",
        "role": "authenticated",
        "sub": str(subject),
        "iat": now,
        "exp": now + seconds,
        "app_metadata": {"role": role},
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def main(arguments: list[str]) -> int:
    """Prints one, signed with `APP_JWT_SECRET`."""
    secret = os.environ.get("APP_JWT_SECRET")
    if len(arguments) != 2 or arguments[0] not in ("merchant", "partner") or not secret:
        print("usage: APP_JWT_SECRET=.. python -m app.token merchant|partner UUID", file=sys.stderr)
        return 2
    print(issue(secret, arguments[0], UUID(arguments[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
