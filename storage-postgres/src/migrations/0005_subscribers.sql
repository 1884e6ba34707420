-- How far named subscribers have got with the journal over all books; not a book's rows, so it has no merchant. A row is
-- made when one first advances. Only ledgers that write can follow by name.
CREATE TABLE subscribers (
    name   text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 255),
    cursor text NOT NULL
);
ALTER TABLE subscribers ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscribers FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON subscribers TO {owner} USING (true) WITH CHECK (true);
CREATE POLICY writer ON subscribers TO {writer} USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON subscribers TO {writer};
