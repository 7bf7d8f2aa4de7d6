"""An HTTP server on asyncio's streams, which keeps connections open."""
import asyncio

BODY = b"hello from python\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", 8080)
    print("listening", flush=True)
    await server.serve_forever()


asyncio.run(main())
