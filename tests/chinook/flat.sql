# One table: every row.
SELECT id, name FROM genre
----
SELECT id, name FROM genre ORDER BY id

# A range, arithmetic, an order that is not the key's.
SELECT name, milliseconds / 60000 AS minutes FROM track WHERE milliseconds > 2500000 ORDER BY milliseconds DESC, id LIMIT 20
----

# A missing value, and a prefix.
SELECT id, name FROM track WHERE composer IS NULL AND name LIKE 'S%' ORDER BY name, id
----

# A list of values and a closed range.
SELECT id, total FROM invoice WHERE country IN ('Norway', 'Brazil') AND total BETWEEN 3 AND 9 ORDER BY total DESC, id
----

# Cases.
SELECT id, CASE WHEN milliseconds < 180000 THEN 'short' WHEN milliseconds < 420000 THEN 'middle' ELSE 'long' END AS size
FROM track WHERE album BETWEEN 10 AND 20 ORDER BY id
----

# Text put together; a default for what is missing.
SELECT id, last_name || ', ' || first_name AS who, coalesce(company, 'private') AS company, length(last_name) AS n
FROM customer ORDER BY last_name, first_name, id
----

# A page by number.
SELECT id, name FROM artist ORDER BY name DESC, id LIMIT 15 OFFSET 30
----

# A page behind a row.
SELECT id, total FROM invoice ORDER BY total DESC AFTER (13.86, 100) LIMIT 10
----
SELECT id, total FROM invoice WHERE total < 13.86 OR (total = 13.86 AND id > 100) ORDER BY total DESC, id LIMIT 10

# A page behind a row whose sort key is missing.
SELECT id, state FROM customer ORDER BY state AFTER (NULL, 30) LIMIT 12
----
SELECT id, state FROM customer WHERE (state IS NULL AND id > 30) OR state IS NOT NULL ORDER BY state, id LIMIT 12

# A span of time.
SELECT id, strftime('%Y-%m', issued) AS month, total FROM invoice
WHERE issued >= TIMESTAMP '2023-01-01T00:00:00Z' AND issued < TIMESTAMP '2023-04-01T00:00:00Z' ORDER BY issued, id
----
SELECT id, strftime('%Y-%m', issued) AS month, total FROM invoice
WHERE issued >= '2023-01-01T00:00:00Z' AND issued < '2023-04-01T00:00:00Z' ORDER BY issued, id

# Functions of text.
SELECT id, replace(title, ' ', '_') AS slug, length(title) AS n, substr(title, 1, 5) AS head
FROM album WHERE title LIKE '%Greatest%' OR title LIKE '%Live%' ORDER BY id
----

# What differs from a value, NULL included.
SELECT id, company FROM customer WHERE company IS DISTINCT FROM 'Google Inc.' AND support = 3 ORDER BY id
----

# Quotient and remainder.
SELECT id, bytes / 1024 AS kib, bytes % 1024 AS rest FROM track WHERE id % 250 = 0 ORDER BY id
----

# NULLs at the other end.
SELECT id, state, city FROM customer WHERE support = 4 ORDER BY state NULLS LAST, city DESC, id
----
