# In either.
SELECT city FROM customer UNION SELECT city FROM employee ORDER BY city
----

# In either, told apart.
SELECT 'customer' AS kind, id, city FROM customer UNION ALL SELECT 'employee', id, city FROM employee ORDER BY kind, id
----

# In either, equal rows as often as they are there.
SELECT country FROM customer UNION ALL SELECT country FROM employee ORDER BY country
----

# In both.
SELECT city FROM customer INTERSECT SELECT city FROM employee ORDER BY city
----

# In the first only.
SELECT id FROM track EXCEPT SELECT track FROM line ORDER BY id
----

# INTERSECT binds tighter.
SELECT album FROM track WHERE milliseconds > 1000000 UNION SELECT album FROM track WHERE bytes > 15000000
INTERSECT SELECT album FROM track WHERE composer IS NULL ORDER BY album
----
SELECT album FROM track WHERE milliseconds > 1000000 UNION SELECT album FROM (SELECT album FROM track WHERE bytes > 15000000
INTERSECT SELECT album FROM track WHERE composer IS NULL) ORDER BY album

# A group over a combination.
SELECT country, count(*) AS people FROM (SELECT country, email FROM customer UNION ALL SELECT country, email FROM employee) x
GROUP BY country ORDER BY people DESC, country
----

# A test against a combination.
SELECT id, name FROM artist WHERE id IN (SELECT artist FROM album WHERE title LIKE 'The %' EXCEPT
SELECT artist FROM album WHERE title LIKE '%Live%') ORDER BY id
----

# One name read twice.
WITH spent AS (SELECT customer, sum(quantity) AS items FROM line l JOIN invoice i ON l.invoice = i.id GROUP BY customer)
SELECT customer, items FROM spent WHERE items = (SELECT max(items) FROM spent) ORDER BY customer
----

# A name that reads another.
WITH sold AS (SELECT DISTINCT track FROM line), left_over AS (SELECT id, genre FROM track WHERE id NOT IN (SELECT track FROM sold))
SELECT genre, count(*) AS unsold FROM left_over GROUP BY genre ORDER BY unsold DESC, genre LIMIT 5
----
