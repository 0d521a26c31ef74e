# Fetch documents on the unix port for tests/net/test_http_get.py: micropython tests/net/http_fetch.py URL MS ADDRESS...
#
# Every name has these addresses. Prints the length and SHA-256 of what comes, or what is raised.
import asyncio
import hashlib
import sys

from net.http_get import get


async def resolve(host):
    return sys.argv[3:]


async def main():
    try:
        data = await get(sys.argv[1], resolve, 100000, int(sys.argv[2]))
        print(len(data), hashlib.sha256(data).digest().hex())
    except (OSError, ValueError) as e:
        print(type(e).__name__ + ":", e)


asyncio.run(main())
