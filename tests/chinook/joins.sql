# Three tables.
SELECT t.name AS track, a.title AS album, r.name AS artist
FROM track t JOIN album a ON t.album = a.id JOIN artist r ON a.artist = r.id WHERE r.name LIKE 'A%' ORDER BY t.id
----

# A path is a chain of left joins.
SELECT name, album.title AS album, album.artist.name AS artist FROM track WHERE genre.name = 'Blues' ORDER BY id
----
SELECT t.name, a.title, r.name FROM track t LEFT JOIN album a ON t.album = a.id LEFT JOIN artist r ON a.artist = r.id
LEFT JOIN genre g ON t.genre = g.id WHERE g.name = 'Blues' ORDER BY t.id

# A table with itself; the head of all has no row on the right.
SELECT e.last_name AS who, b.last_name AS boss FROM employee e LEFT JOIN employee b ON e.boss = b.id ORDER BY e.id
----

# Five tables, a sort key from the middle.
SELECT c.last_name AS customer, i.issued AS issued, t.name AS track, g.name AS genre
FROM customer c JOIN invoice i ON i.customer = c.id JOIN line l ON l.invoice = i.id
JOIN track t ON l.track = t.id JOIN genre g ON t.genre = g.id
WHERE c.country = 'Germany' AND g.name <> 'Rock' ORDER BY i.issued DESC, l.id LIMIT 50
----

# What the left has and the right has not.
SELECT r.id, r.name FROM artist r LEFT JOIN album a ON a.artist = r.id WHERE a.id IS NULL ORDER BY r.id
----

# A condition in ON keeps the left row, one in WHERE would not.
SELECT g.name AS genre, t.name AS track FROM genre g LEFT JOIN track t ON t.genre = g.id AND t.milliseconds > 2900000
ORDER BY g.id, t.id
----

# The right side is kept.
SELECT t.id AS track, g.name AS genre FROM track t RIGHT JOIN genre g ON t.genre = g.id AND t.bytes > 600000000
ORDER BY g.id, t.id
----

# Both sides are kept.
SELECT c.id AS customer, e.id AS employee FROM customer c FULL JOIN employee e ON c.support = e.id AND c.country = 'USA'
ORDER BY c.id, e.id
----

# Every pair.
SELECT g.name AS genre, m.name AS media FROM genre g CROSS JOIN media_type m WHERE g.id > 20 ORDER BY g.id, m.id
----

# Columns of the same name.
SELECT id, g.name AS genre, m.name AS media FROM genre g JOIN media_type m USING (id) ORDER BY id
----

# A join without an equality.
SELECT a.id AS a, b.id AS b FROM employee a JOIN employee b ON a.hired < b.hired AND a.id <> b.id ORDER BY a.id, b.id
----

# Through a junction table.
SELECT p.name AS playlist, t.name AS track FROM playlist_track pt JOIN playlist p ON p.id = pt.playlist
JOIN track t ON t.id = pt.track WHERE p.name LIKE '%Classical%' ORDER BY p.id, t.id
----

# A grouped select as one side.
SELECT i.id, i.total, x.n FROM invoice i JOIN (SELECT invoice, count(*) AS n FROM line GROUP BY invoice) x ON x.invoice = i.id
WHERE x.n > 9 ORDER BY i.id
----

# Sources separated by commas.
SELECT c.id AS customer, e.id AS employee FROM customer c, employee e WHERE c.city = e.city AND c.country = e.country
ORDER BY c.id, e.id
----

# Two ways to one table.
SELECT t.id, t.name FROM track t JOIN album a ON t.album = a.id JOIN artist r ON a.artist = r.id
WHERE t.composer = r.name AND t.genre = 1 ORDER BY t.name, t.id LIMIT 40
----
