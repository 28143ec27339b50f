# Everybody below the head.
WITH RECURSIVE below (id) AS (SELECT 1 UNION SELECT e.id FROM employee e JOIN below b ON e.boss = b.id)
SELECT e.id, e.last_name FROM employee e JOIN below b ON e.id = b.id ORDER BY e.id
----

# Every pair of one above the other.
WITH RECURSIVE above (low, high) AS (SELECT id, boss FROM employee WHERE boss IS NOT NULL UNION
SELECT a.low, e.boss FROM above a JOIN employee e ON a.high = e.id WHERE e.boss IS NOT NULL)
SELECT low, high FROM above ORDER BY low, high
----

# How many are below each.
WITH RECURSIVE above (low, high) AS (SELECT id, boss FROM employee WHERE boss IS NOT NULL UNION
SELECT a.low, e.boss FROM above a JOIN employee e ON a.high = e.id WHERE e.boss IS NOT NULL)
SELECT high, count(*) AS n FROM above GROUP BY high ORDER BY n DESC, high
----

# How far from the head; the bound ends it even where they lead each other.
WITH RECURSIVE place (id, depth) AS (SELECT id, 0 FROM employee WHERE boss IS NULL UNION
SELECT e.id, p.depth + 1 FROM employee e JOIN place p ON e.boss = p.id WHERE p.depth < 5)
SELECT id, depth FROM place ORDER BY depth, id
----

# Nobody above them at any distance is called Edwards.
WITH RECURSIVE above (low, high) AS (SELECT id, boss FROM employee UNION
SELECT a.low, e.boss FROM above a JOIN employee e ON a.high = e.id)
SELECT id, last_name FROM employee e WHERE NOT EXISTS (SELECT 1 FROM above a JOIN employee b ON a.high = b.id
WHERE a.low = e.id AND b.last_name = 'Edwards') ORDER BY id
----

# Numbers that no table holds, with what they count.
WITH RECURSIVE series (n) AS (SELECT 1 UNION SELECT n + 1 FROM series WHERE n < 30)
SELECT s.n, (SELECT count(*) FROM invoice i WHERE i.customer = s.n) AS invoices FROM series s ORDER BY s.n
----

# Artists linked by playlists, from one on: who shares a small playlist with whom.
WITH RECURSIVE linked (artist) AS (SELECT 90 UNION SELECT a2.artist FROM linked k JOIN album a1 ON a1.artist = k.artist
JOIN track t1 ON t1.album = a1.id JOIN playlist_track p1 ON p1.track = t1.id JOIN playlist_track p2 ON p2.playlist = p1.playlist
JOIN track t2 ON t2.id = p2.track JOIN album a2 ON t2.album = a2.id WHERE p1.playlist BETWEEN 11 AND 17 AND p2.playlist BETWEEN 11 AND 17)
SELECT artist FROM linked ORDER BY artist
----

# Sales of everybody with all those below.
WITH RECURSIVE team (head, member) AS (SELECT id, id FROM employee UNION
SELECT t.head, e.id FROM team t JOIN employee e ON e.boss = t.member)
SELECT t.head, count(*) AS customers FROM team t JOIN customer c ON c.support = t.member GROUP BY t.head ORDER BY t.head
----
