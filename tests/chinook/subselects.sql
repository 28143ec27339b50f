# Customers who bought jazz.
SELECT c.id, c.last_name FROM customer c WHERE EXISTS (SELECT 1 FROM invoice i JOIN line l ON l.invoice = i.id
JOIN track t ON l.track = t.id WHERE i.customer = c.id AND t.genre = 2) ORDER BY c.id
----

# Tracks of one genre that nobody bought.
SELECT id, name FROM track t WHERE genre = 3 AND NOT EXISTS (SELECT 1 FROM line l WHERE l.track = t.id) ORDER BY id
----

# Playlists that hold every track of an album: there is none that they lack.
SELECT p.id, p.name FROM playlist p WHERE NOT EXISTS (SELECT 1 FROM track t WHERE t.album = 4 AND NOT EXISTS
(SELECT 1 FROM playlist_track pt WHERE pt.playlist = p.id AND pt.track = t.id)) ORDER BY p.id
----

# NOT IN a list that holds NULL is never true.
SELECT count(*) AS n FROM employee WHERE id NOT IN (SELECT boss FROM employee)
----

# NOT IN without NULL.
SELECT id, last_name FROM employee WHERE id NOT IN (SELECT boss FROM employee WHERE boss IS NOT NULL) ORDER BY id
----

# A test in a list that depends on the row.
SELECT i.id FROM invoice i WHERE i.city IN (SELECT c.city FROM customer c WHERE c.id <> i.customer) ORDER BY i.id LIMIT 30
----

# A count beside each row.
SELECT a.id, a.title, (SELECT count(*) FROM track t WHERE t.album = a.id) AS tracks FROM album a WHERE a.artist < 30 ORDER BY a.id
----

# More than the mean of the country.
SELECT i.id, i.country, i.total FROM invoice i WHERE i.total > (SELECT 2 * avg(x.total) FROM invoice x WHERE x.country = i.country) ORDER BY i.id
----

# The three longest of each genre, by counting those that are longer.
SELECT t.genre, t.name FROM track t WHERE t.genre > 17 AND (SELECT count(*) FROM track x WHERE x.genre = t.genre
AND x.milliseconds > t.milliseconds) < 3 ORDER BY t.genre, t.milliseconds DESC, t.id
----

# A sort key that is a select.
SELECT r.id, r.name FROM artist r ORDER BY (SELECT count(*) FROM album a WHERE a.artist = r.id) DESC, r.id LIMIT 10
----

# A test as a value.
SELECT e.id, EXISTS (SELECT 1 FROM customer c WHERE c.support = e.id) AS sells,
CASE WHEN e.id IN (SELECT boss FROM employee WHERE boss IS NOT NULL) THEN 'leads' ELSE 'works' END AS kind FROM employee e ORDER BY e.id
----

# A select within a select within a select, each about the row around all.
SELECT c.id, (SELECT max(i.total) FROM invoice i WHERE i.customer = c.id AND i.total <
(SELECT max(x.total) FROM invoice x WHERE x.customer = c.id AND x.id <> i.id)) AS second FROM customer c WHERE c.id < 25 ORDER BY c.id
----

# Genres that the customers of every seller have bought.
SELECT g.id, g.name FROM genre g WHERE NOT EXISTS (SELECT 1 FROM employee e WHERE e.title = 'Sales Support Agent' AND NOT EXISTS
(SELECT 1 FROM customer c JOIN invoice i ON i.customer = c.id JOIN line l ON l.invoice = i.id JOIN track t ON l.track = t.id
WHERE c.support = e.id AND t.genre = g.id)) ORDER BY g.id
----

# EXISTS or something else.
SELECT id, name FROM playlist p WHERE id = 2 OR EXISTS (SELECT 1 FROM playlist_track pt JOIN track t ON pt.track = t.id
WHERE pt.playlist = p.id AND t.media = 3) ORDER BY id
----
