# An HTTP server on the unix port for tests/net/test_http.py: micropython tests/net/server.py PORT
import asyncio
import sys

from net.http import Response, Server


async def echo(request):
    return Response(await request.read(), type="application/octet-stream")


def file(request):
    return Response(open("README.md", "rb"), type="text/plain")


def numbers(request):
    async def body(send):
        for i in range(int(request.query["count"])):
            await send(b"%d\n" % i)

    return Response(body, type="text/plain")


async def long(request):
    for _ in range(100):
        if await request.gone(100):
            print("gone")
            return
    return "done\n"


async def main(port):
    server = Server(connections_max=8)
    server.route("/", lambda request: "hello %s\n" % request.query.get("name", "you"))
    server.route("/echo", echo, ("POST", "PUT"), body_max=2000000)
    server.route("/file", file)
    server.route("/numbers", numbers)
    server.route("/large", lambda request: bytes(range(256)) * 8192)
    server.route("/raises", lambda request: {}["missing"])
    server.route("/long", long)
    server.route("/below/*", lambda request: request.rest)
    server.start(port, "127.0.0.1")
    print("ready")
    while True:
        await asyncio.sleep(3600)


asyncio.run(main(int(sys.argv[1])))
