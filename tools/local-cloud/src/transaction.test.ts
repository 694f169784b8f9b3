import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";

import { inTransaction } from "./transaction.ts";

function openTable() {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE numbers (n INTEGER)");
  const insert = (n: number) => db.prepare("INSERT INTO numbers VALUES (?)").run(n);
  const all = () =>
    db
      .prepare("SELECT n FROM numbers")
      .all()
      .map(({ n }) => n);
  return { db, insert, all };
}

test("an error undoes everything in the transaction, also within another one", () => {
  const { db, insert, all } = openTable();
  const fail = () =>
    inTransaction(db, () => {
      insert(1);
      inTransaction(db, () => {
        insert(2);
        throw new Error("stopped");
      });
    });
  expect(fail).toThrow("stopped");
  expect(all()).toEqual([]);
});

test("a transaction returns the result of its work", () => {
  const { db, insert, all } = openTable();
  expect(inTransaction(db, () => (insert(1), "done"))).toBe("done");
  expect(all()).toEqual([1]);
});
