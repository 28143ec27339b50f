# Each artist with the albums.
SELECT { name, albums: [SELECT title FROM album a WHERE a.artist = r.id ORDER BY title] } FROM artist r WHERE name LIKE 'B%'
----
SELECT json_object('name', name, 'albums', (SELECT json_group_array(title) FROM
(SELECT title FROM album a WHERE a.artist = r.id ORDER BY title, id))) FROM artist r WHERE name LIKE 'B%' ORDER BY id

# The three longest tracks of each genre.
SELECT { genre: g.name, longest: [SELECT { name, milliseconds } FROM track t WHERE t.genre = g.id ORDER BY milliseconds DESC LIMIT 3] } FROM genre g
----
SELECT json_object('genre', g.name, 'longest', (SELECT json_group_array(json_object('name', name, 'milliseconds', milliseconds)) FROM
(SELECT name, milliseconds FROM track t WHERE t.genre = g.id ORDER BY milliseconds DESC, id LIMIT 3))) FROM genre g ORDER BY g.id

# The row that a column refers to, as an object; NULL where there is none.
SELECT { last_name, boss: { last_name, title } OF boss, support: [SELECT last_name FROM customer c WHERE c.support = e.id ORDER BY last_name LIMIT 4] }
FROM employee e
----
SELECT json_object('last_name', e.last_name, 'boss', CASE WHEN b.id IS NULL THEN NULL ELSE
json_object('last_name', b.last_name, 'title', b.title) END, 'support', (SELECT json_group_array(last_name) FROM
(SELECT last_name FROM customer c WHERE c.support = e.id ORDER BY last_name, id LIMIT 4)))
FROM employee e LEFT JOIN employee b ON e.boss = b.id ORDER BY e.id

# The only row, or NULL.
SELECT { id, last: (SELECT { id, total } FROM invoice i WHERE i.customer = c.id ORDER BY issued DESC, id DESC LIMIT 1) } FROM customer c WHERE id < 20
----
SELECT json_object('id', c.id, 'last', json((SELECT json_object('id', id, 'total', total) FROM invoice i WHERE i.customer = c.id
ORDER BY issued DESC, id DESC LIMIT 1))) FROM customer c WHERE id < 20 ORDER BY id

# Groups within each row.
SELECT { last_name, genres: [SELECT { genre: t.genre.name, n: count(*) } FROM invoice i JOIN line l ON l.invoice = i.id JOIN track t ON l.track = t.id
WHERE i.customer = c.id GROUP BY t.genre.name ORDER BY count(*) DESC, t.genre.name LIMIT 3] } FROM customer c WHERE support = 5
----
SELECT json_object('last_name', c.last_name, 'genres', (SELECT json_group_array(json_object('genre', name, 'n', n)) FROM
(SELECT g.name, count(*) AS n FROM invoice i JOIN line l ON l.invoice = i.id JOIN track t ON l.track = t.id LEFT JOIN genre g ON t.genre = g.id
WHERE i.customer = c.id GROUP BY g.name ORDER BY n DESC, g.name LIMIT 3))) FROM customer c WHERE support = 5 ORDER BY c.id

# Aggregates at two levels.
SELECT { title, tracks: (SELECT count(*) FROM track t WHERE t.album = a.id), sold: (SELECT sum(l.quantity) FROM line l JOIN track t ON l.track = t.id
WHERE t.album = a.id), longest: (SELECT max(milliseconds) FROM track t WHERE t.album = a.id) } FROM album a WHERE artist BETWEEN 80 AND 110 ORDER BY title
----
SELECT json_object('title', title, 'tracks', (SELECT count(*) FROM track t WHERE t.album = a.id), 'sold', (SELECT sum(l.quantity) FROM line l
JOIN track t ON l.track = t.id WHERE t.album = a.id), 'longest', (SELECT max(milliseconds) FROM track t WHERE t.album = a.id))
FROM album a WHERE artist BETWEEN 80 AND 110 ORDER BY title, id

# A page of rows, and a page within each.
SELECT { name, albums: [SELECT { title } FROM album a WHERE a.artist = r.id ORDER BY title DESC LIMIT 2 OFFSET 1] } FROM artist r
WHERE EXISTS (SELECT 1 FROM album a WHERE a.artist = r.id AND a.title LIKE '%s%') ORDER BY name LIMIT 12 OFFSET 5
----
SELECT json_object('name', name, 'albums', (SELECT json_group_array(json_object('title', title)) FROM
(SELECT title FROM album a WHERE a.artist = r.id ORDER BY title DESC, id LIMIT 2 OFFSET 1))) FROM artist r
WHERE EXISTS (SELECT 1 FROM album a WHERE a.artist = r.id AND a.title LIKE '%s%') ORDER BY name, id LIMIT 12 OFFSET 5

# A list that does not depend on the row.
SELECT { id, name, media: [SELECT name FROM media_type ORDER BY id] } FROM playlist WHERE id > 14
----
SELECT json_object('id', id, 'name', name, 'media', (SELECT json_group_array(name) FROM (SELECT name FROM media_type ORDER BY id)))
FROM playlist WHERE id > 14 ORDER BY id

# Each once, within each.
SELECT { name, composers: [SELECT DISTINCT composer FROM track t WHERE t.genre = g.id AND composer LIKE 'C%' ORDER BY composer] } FROM genre g WHERE id < 9
----
SELECT json_object('name', name, 'composers', (SELECT json_group_array(composer) FROM
(SELECT DISTINCT composer FROM track t WHERE t.genre = g.id AND composer LIKE 'C%' ORDER BY composer))) FROM genre g WHERE id < 9 ORDER BY id

# A sort key that is an aggregate of the level below.
SELECT { name, sold: (SELECT count(*) FROM line l JOIN track t ON l.track = t.id WHERE t.genre = g.id),
best: [SELECT t.name FROM track t WHERE t.genre = g.id ORDER BY (SELECT count(*) FROM line l WHERE l.track = t.id) DESC, t.name LIMIT 3] } FROM genre g
ORDER BY (SELECT count(*) FROM line l JOIN track t ON l.track = t.id WHERE t.genre = g.id) DESC LIMIT 6
----
SELECT json_object('name', name, 'sold', (SELECT count(*) FROM line l JOIN track t ON l.track = t.id WHERE t.genre = g.id),
'best', (SELECT json_group_array(name) FROM (SELECT t.name FROM track t WHERE t.genre = g.id
ORDER BY (SELECT count(*) FROM line l WHERE l.track = t.id) DESC, t.name, t.id LIMIT 3))) FROM genre g
ORDER BY (SELECT count(*) FROM line l JOIN track t ON l.track = t.id WHERE t.genre = g.id) DESC, g.id LIMIT 6
