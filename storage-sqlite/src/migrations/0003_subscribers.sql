-- How far named subscribers have got with the journal over all books. A row is made when one first advances.
CREATE TABLE subscribers (
    name   TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 255),
    cursor TEXT NOT NULL
) STRICT, WITHOUT ROWID;
