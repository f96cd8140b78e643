"""The ten RPCs that the client libraries send, but for Listen's streaming itself."""

from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Final

from google.protobuf.empty_pb2 import Empty

from . import listing
from .aggregations import aggregate, parse_aggregations
from .errors import invalid
from .execution import QueryRunner
from .fields import FieldPath, parse_field_path
from .limits import MAX_WRITES_PER_COMMIT
from .locks import Locks
from .mutations import Mutation, parse_write
from .operations import Kind, OperationCounter
from .paths import Path, check_id, document_path
from .protocol import (
    AggregationResponse,
    BatchGetResponse,
    BatchWriteResponse,
    BeginResponse,
    CommitResponse,
    ListCollectionIdsResponse,
    ListDocumentsResponse,
    Message,
    RunQueryResponse,
    Status,
    WriteResult,
    to_timestamp,
)
from .queries import parse_query
from .reads import Consistency, Reads
from .transactions import Transactions
from .transactions import check_id as check_transaction_id
from .watches import query_topic
from .writer import Committed, Writer

MAX_BATCH_GET: Final = 1_000


class FirestoreService:
    """
    One method for each RPC; requests and responses are raw protobuf messages.

    Every method raises StatusError for what the client must hear.
    """

    def __init__(
        self,
        runner: QueryRunner,
        reads: Reads,
        writer: Writer,
        transactions: Transactions,
        locks: Locks,
        counter: OperationCounter,
    ) -> None:
        self._runner = runner
        self._store = runner.store
        self._reads = reads
        self._writer = writer
        self._transactions = transactions
        self._locks = locks
        self._counter = counter

    async def begin_transaction(self, request: Message) -> Message:
        """Open a transaction."""
        transaction = self._reads.begin(request.options)
        return BeginResponse(transaction=transaction.id)

    async def rollback(self, request: Message) -> Message:
        """End a transaction; one that is over already is no error."""
        check_transaction_id(request.transaction)
        self._end(request.transaction)
        return Empty()

    async def commit(self, request: Message) -> Message:
        """Apply all writes or none."""
        if len(request.writes) > MAX_WRITES_PER_COMMIT:
            raise invalid(f"maximum {MAX_WRITES_PER_COMMIT} writes allowed per request")
        transaction = None
        try:
            if request.transaction:
                transaction = self._transactions.get(request.transaction)
                if transaction.read_only and request.writes:
                    raise invalid("Cannot modify entities in a read-only transaction.")
            mutations = [parse_write(w, request.database) for w in request.writes]
            committed = await self._writer.commit(mutations, transaction)
        finally:
            if request.transaction:
                self._end(request.transaction)
        self._count(mutations)
        return CommitResponse(
            write_results=committed.results,
            commit_time=to_timestamp(committed.version),
        )

    async def batch_write(self, request: Message) -> Message:
        """Apply each write by itself."""
        if len(request.writes) > MAX_WRITES_PER_COMMIT:
            raise invalid(f"maximum {MAX_WRITES_PER_COMMIT} writes allowed per request")
        mutations = [parse_write(w, request.database) for w in request.writes]
        if len({mutation.path for mutation in mutations}) < len(mutations):
            raise invalid("A batch cannot write the same document more than once.")
        response = BatchWriteResponse()
        outcomes = await self._writer.commit_each(mutations)
        for mutation, outcome in zip(mutations, outcomes, strict=True):
            if isinstance(outcome, Committed):
                self._count([mutation])
                response.write_results.append(outcome.results[0])
                response.status.append(Status())
            else:
                response.write_results.append(WriteResult())
                status = Status(code=outcome.number, message=outcome.detail)
                response.status.append(status)
        return response

    async def batch_get_documents(self, request: Message) -> AsyncIterator[Message]:
        """Yield each named document, found or missing."""
        paths = {document_path(name).key(): name for name in request.documents}
        for name in paths.values():
            if Path.parse(name).database != request.database:
                raise invalid(f'Document "{name}" is not in {request.database}.')
        if len(paths) > MAX_BATCH_GET:
            raise invalid(f"At most {MAX_BATCH_GET} documents per request are allowed.")
        mask = _mask(request)
        consistency = self._reads.consistency(request, paths.keys())
        if consistency.opened and consistency.transaction:
            yield BatchGetResponse(transaction=consistency.transaction.id)
        found = await self._reads.documents(list(paths), consistency)
        read_time = to_timestamp(self._reads.read_time(consistency))
        for key, document in found.items():
            self._counter.add(Kind.READS, document_path(paths[key]).segments[-2])
            response = BatchGetResponse(read_time=read_time)
            if document is None:
                response.missing = paths[key]
            elif mask is None:
                response.found.ParseFromString(document.data)
            else:
                response.found.CopyFrom(document.masked(mask))
            yield response

    async def run_query(self, request: Message) -> AsyncIterator[Message]:
        """Yield the documents of a query in its order."""
        query = parse_query(request.parent, request.structured_query)
        consistency = self._reads.consistency(request, [query_topic(query)])
        transaction = consistency.transaction
        if consistency.opened and transaction:
            yield RunQueryResponse(transaction=transaction.id)
        await self._reads.observe(query, consistency)
        read_time = self._reads.read_time(consistency)
        delivered = 0
        with self._store.snapshot() as connection:
            time = to_timestamp(read_time)
            for document in self._runner.results(
                query, connection, at=self._past(consistency)
            ):
                delivered += 1
                response = RunQueryResponse(read_time=time)
                if query.projection is None:
                    response.document.ParseFromString(document.data)
                else:
                    response.document.CopyFrom(document.masked(query.projection))
                yield response
        self._counter.add_query(query.collection_id, delivered + query.offset)
        if not delivered:
            yield RunQueryResponse(read_time=to_timestamp(read_time))

    async def run_aggregation_query(self, request: Message) -> AsyncIterator[Message]:
        """Yield the one result of an aggregation query."""
        asked = request.structured_aggregation_query
        query = parse_query(request.parent, asked.structured_query)
        aggregations = parse_aggregations(asked.aggregations)
        if query.projection is not None and any(item.path for item in aggregations):
            raise invalid("A query with a projection cannot be summed up.")
        consistency = self._reads.consistency(request, [query_topic(query)])
        transaction = consistency.transaction
        response = AggregationResponse()
        if consistency.opened and transaction:
            response.transaction = transaction.id
        await self._reads.observe(query, consistency)
        with self._store.snapshot() as connection:
            values, entries = aggregate(
                self._runner,
                query,
                aggregations,
                connection,
                at=self._past(consistency),
            )
        self._counter.add_aggregation(query.collection_id, entries)
        for alias, value in values.items():
            response.result.aggregate_fields[alias].CopyFrom(value)
        response.read_time.CopyFrom(to_timestamp(self._reads.read_time(consistency)))
        yield response

    async def list_documents(self, request: Message) -> Message:
        """Return a page of the documents of one collection."""
        if request.order_by:
            raise invalid("Documents are listed by name; a query can order them.")
        check_id(request.collection_id)
        parent = Path.parse(request.parent)
        consistency = self._reads.consistency(request)
        size = listing.page_size(request.page_size)
        mask = _mask(request)
        found = listing.documents(
            self._store,
            parent.child(request.collection_id),
            after=request.page_token,
            version=consistency.at,
            missing=request.show_missing,
        )
        response = ListDocumentsResponse()
        page = list(islice(found, size + 1))
        for path, document in page[:size]:
            item = response.documents.add(name=path.name)
            if document is not None:
                item.CopyFrom(
                    document.message if mask is None else document.masked(mask)
                )
        if len(page) > size:
            response.next_page_token = page[size - 1][0].segments[-1]
        self._counter.add_query(request.collection_id, len(page[:size]))
        return response

    async def list_collection_ids(self, request: Message) -> Message:
        """Return a page of the ids of collections below a document or the root."""
        parent = Path.parse(request.parent)
        version = None
        if request.HasField("read_time"):
            version = self._reads.past(request.read_time)
        size = listing.page_size(request.page_size)
        found = listing.collection_ids(
            self._store, parent, after=request.page_token, version=version
        )
        page = list(islice(found, size + 1))
        response = ListCollectionIdsResponse(collection_ids=page[:size])
        if len(page) > size:
            response.next_page_token = page[size - 1]
        self._counter.add(Kind.READS, "")
        return response

    def _end(self, transaction_id: bytes) -> None:
        self._transactions.close(transaction_id)
        self._locks.released()

    def _count(self, mutations: Sequence[Mutation]) -> None:
        for mutation in mutations:
            kind = Kind.DELETES if mutation.kind == "delete" else Kind.WRITES
            self._counter.add(kind, mutation.path.segments[-2])

    def _past(self, consistency: Consistency) -> int | None:
        # The newest version needs no look at the history.
        if consistency.at is not None and consistency.at >= self._writer.version:
            return None
        return consistency.at


def _mask(request: Message) -> tuple[FieldPath, ...] | None:
    if not request.HasField("mask"):
        return None
    return tuple(parse_field_path(text) for text in request.mask.field_paths)
