"""Among very many items, the databases begin with the words; left to themselves they would not."""

from __future__ import annotations

from node.search import finding, words
from node.storage.items import Item
from tests.node.rooms import Room


async def test_the_index_of_words_is_asked_first_and_each_document_only_then(county: Room) -> None:
    database = county.database
    explain = "EXPLAIN" if database.is_postgresql else "EXPLAIN QUERY PLAN"
    async with database.reading() as session:
        query = await finding.newest_holding(
            session, words.phrases("加装电梯"), [Item.state == "submitted"]
        )
        compiled = query.compile(database.engine, compile_kwargs={"literal_binds": True})
        # SQLite's way to say that there is no limit is made only when the statement runs.
        written = str(compiled).replace("LIMIT ?", "LIMIT -1")
        connection = await session.connection()
        rows = (await connection.exec_driver_sql(f"{explain} {written}")).all()
    plan = [str(row[-1]) for row in rows]
    if database.is_postgresql:
        assert any("Bitmap Index Scan on ix_search_documents_words" in line for line in plan)
        assert not any("Seq Scan on search_documents" in line for line in plan)
        return
    steps = [line.split()[1] for line in plan if line.startswith(("SCAN", "SEARCH"))]
    assert [step for step in steps if step.startswith(("search", "items"))] == [
        "search_text",
        "search_documents",
        "items",
    ]
    assert not any("TEMP B-TREE" in line for line in plan)
