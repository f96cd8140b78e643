"""A gRPC server on asyncio alone: no threads, and many messages for one system call."""
