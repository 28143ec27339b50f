# Six levels of lists: seller, customers, invoices, lines, the album's tracks, the playlists of each.
SELECT { last_name, customers: [SELECT { last_name, invoices: [SELECT { id, total, lines: [SELECT { id, quantity,
album: [SELECT { name, playlists: [SELECT p.name FROM playlist_track pt JOIN playlist p ON pt.playlist = p.id WHERE pt.track = t.id ORDER BY p.id]
} FROM track t WHERE t.album = l.track.album AND t.milliseconds < 200000 ORDER BY t.name LIMIT 2]
} FROM line l WHERE l.invoice = i.id ORDER BY id LIMIT 3] } FROM invoice i WHERE i.customer = c.id ORDER BY total DESC LIMIT 2]
} FROM customer c WHERE c.support = e.id ORDER BY last_name LIMIT 5] } FROM employee e WHERE title = 'Sales Support Agent'
----
SELECT json_object('last_name', e.last_name, 'customers', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('last_name', c.last_name, 'invoices', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('id', i.id, 'total', i.total, 'lines', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('id', l.id, 'quantity', l.quantity, 'album', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('name', t.name, 'playlists', (SELECT json_group_array(name) FROM (
SELECT p.name FROM playlist_track pt JOIN playlist p ON pt.playlist = p.id WHERE pt.track = t.id ORDER BY p.id))) AS o
FROM track t WHERE t.album = (SELECT album FROM track WHERE id = l.track) AND t.milliseconds < 200000 ORDER BY t.name, t.id LIMIT 2))) AS o
FROM line l WHERE l.invoice = i.id ORDER BY id LIMIT 3))) AS o FROM invoice i WHERE i.customer = c.id ORDER BY total DESC, id LIMIT 2))) AS o
FROM customer c WHERE c.support = e.id ORDER BY last_name, id LIMIT 5))) FROM employee e WHERE title = 'Sales Support Agent' ORDER BY e.id

# Down by lists and up by paths.
SELECT { name, albums: [SELECT { title, tracks: [SELECT { name, lines: [SELECT { id, day: invoice.issued,
buyer: { last_name, seller: { last_name, boss: { last_name } OF boss } OF support } OF invoice.customer }
FROM line l WHERE l.track = t.id ORDER BY id] } FROM track t WHERE t.album = a.id ORDER BY name LIMIT 3]
} FROM album a WHERE a.artist = r.id ORDER BY title] } FROM artist r WHERE id BETWEEN 50 AND 60
----
SELECT json_object('name', r.name, 'albums', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('title', a.title, 'tracks', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('name', t.name, 'lines', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('id', l.id, 'day', i.issued, 'buyer', CASE WHEN c.id IS NULL THEN NULL ELSE json_object('last_name', c.last_name,
'seller', CASE WHEN s.id IS NULL THEN NULL ELSE json_object('last_name', s.last_name,
'boss', CASE WHEN b.id IS NULL THEN NULL ELSE json_object('last_name', b.last_name) END) END) END) AS o
FROM line l LEFT JOIN invoice i ON l.invoice = i.id LEFT JOIN customer c ON i.customer = c.id LEFT JOIN employee s ON c.support = s.id
LEFT JOIN employee b ON s.boss = b.id WHERE l.track = t.id ORDER BY l.id))) AS o
FROM track t WHERE t.album = a.id ORDER BY name, id LIMIT 3))) AS o
FROM album a WHERE a.artist = r.id ORDER BY title, id))) FROM artist r WHERE id BETWEEN 50 AND 60 ORDER BY r.id

# The tree of everybody, as far as it goes: five lists deep.
SELECT { last_name, reports: [SELECT { last_name, reports: [SELECT { last_name, reports: [SELECT { last_name, reports: [SELECT { last_name,
reports: [SELECT last_name FROM employee f WHERE f.boss = d.id ORDER BY id] } FROM employee d WHERE d.boss = c.id ORDER BY id] }
FROM employee c WHERE c.boss = b.id ORDER BY id] } FROM employee b WHERE b.boss = a.id ORDER BY id] }
FROM employee a WHERE a.boss = e.id ORDER BY id] } FROM employee e WHERE e.boss IS NULL
----
SELECT json_object('last_name', e.last_name, 'reports', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('last_name', a.last_name, 'reports', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('last_name', b.last_name, 'reports', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('last_name', c.last_name, 'reports', (SELECT json_group_array(json(o)) FROM (
SELECT json_object('last_name', d.last_name, 'reports', (SELECT json_group_array(last_name) FROM (
SELECT last_name FROM employee f WHERE f.boss = d.id ORDER BY id))) AS o FROM employee d WHERE d.boss = c.id ORDER BY id))) AS o
FROM employee c WHERE c.boss = b.id ORDER BY id))) AS o FROM employee b WHERE b.boss = a.id ORDER BY id))) AS o
FROM employee a WHERE a.boss = e.id ORDER BY id))) FROM employee e WHERE e.boss IS NULL ORDER BY e.id

# A shaped answer about a recursion.
WITH RECURSIVE team (head, member) AS (SELECT id, id FROM employee UNION SELECT t.head, e.id FROM team t JOIN employee e ON e.boss = t.member)
SELECT { id, people: [SELECT e.last_name FROM team t JOIN employee e ON e.id = t.member WHERE t.head = h.id ORDER BY e.last_name, e.id],
countries: [SELECT DISTINCT c.country FROM team t JOIN customer c ON c.support = t.member WHERE t.head = h.id ORDER BY c.country LIMIT 4] } FROM employee h
----
WITH RECURSIVE team (head, member) AS (SELECT id, id FROM employee UNION SELECT t.head, e.id FROM team t JOIN employee e ON e.boss = t.member)
SELECT json_object('id', h.id, 'people', (SELECT json_group_array(last_name) FROM (SELECT e.last_name FROM team t JOIN employee e ON e.id = t.member
WHERE t.head = h.id ORDER BY e.last_name, e.id)), 'countries', (SELECT json_group_array(country) FROM (SELECT DISTINCT c.country FROM team t
JOIN customer c ON c.support = t.member WHERE t.head = h.id ORDER BY c.country LIMIT 4))) FROM employee h ORDER BY h.id
