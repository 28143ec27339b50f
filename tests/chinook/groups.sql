# Rows per group, the largest first.
SELECT g.name AS genre, count(*) AS n FROM track t JOIN genre g ON t.genre = g.id GROUP BY g.id, g.name ORDER BY n DESC, g.id
----
SELECT g.name AS genre, count(*) AS n FROM track t JOIN genre g ON t.genre = g.id GROUP BY g.id ORDER BY n DESC, g.id

# Exact sums of prices.
SELECT country, sum(total) AS sales, count(*) AS n FROM invoice GROUP BY country HAVING count(*) > 7 ORDER BY sales DESC, country
----
SELECT country, round(sum(total), 2) AS sales, count(*) AS n FROM invoice GROUP BY country HAVING count(*) > 7 ORDER BY sales DESC, country

# Averages.
SELECT genre, avg(milliseconds) AS mean, min(milliseconds) AS low, max(milliseconds) AS high FROM track GROUP BY genre ORDER BY genre
----

# Different values.
SELECT country, count(DISTINCT city) AS cities, count(DISTINCT customer) AS customers, count(state) AS states FROM invoice
GROUP BY country ORDER BY country
----

# Aggregates over a part of the group.
SELECT media, count(*) FILTER (WHERE milliseconds > 300000) AS long, count(*) FILTER (WHERE composer IS NULL) AS unknown,
sum(bytes) FILTER (WHERE genre = 1) AS rock FROM track GROUP BY media ORDER BY media
----

# Groups by an expression.
SELECT strftime('%Y', issued) AS year, count(*) AS n, sum(total) AS sales FROM invoice GROUP BY year ORDER BY year
----
SELECT strftime('%Y', issued) AS year, count(*) AS n, round(sum(total), 2) AS sales FROM invoice GROUP BY year ORDER BY year

# One group even of no row.
SELECT count(*) AS n, max(city) AS last, sum(id) AS s, total(customer) AS t FROM invoice i WHERE country <> (SELECT country FROM customer c WHERE c.id = i.customer)
----

# One group of all rows.
SELECT count(*) AS n, count(composer) AS known, sum(milliseconds) AS sum, min(name) AS first, max(name) AS last FROM track
----

# Sales by artist, ten of them.
SELECT r.name AS artist, sum(l.price * l.quantity) AS sales FROM line l JOIN track t ON l.track = t.id
JOIN album a ON t.album = a.id JOIN artist r ON a.artist = r.id GROUP BY r.id, r.name ORDER BY sales DESC, r.id LIMIT 10
----
SELECT r.name AS artist, round(sum(l.price * l.quantity), 2) AS sales FROM line l JOIN track t ON l.track = t.id
JOIN album a ON t.album = a.id JOIN artist r ON a.artist = r.id GROUP BY r.id ORDER BY sales DESC, r.id LIMIT 10

# A group of groups.
SELECT n, count(*) AS albums FROM (SELECT album, count(*) AS n FROM track GROUP BY album) x GROUP BY n ORDER BY n
----

# Texts of a group in order.
SELECT country, string_agg(city, '; ') AS cities FROM customer GROUP BY country ORDER BY country
----
SELECT country, group_concat(city, '; ') AS cities FROM (SELECT country, city FROM customer ORDER BY country, city) GROUP BY country ORDER BY country

# All and any.
SELECT album, bool_and(milliseconds > 200000) AS slow, bool_or(genre = 2) AS jazz FROM track WHERE album < 40 GROUP BY album ORDER BY album
----
SELECT album, min(milliseconds > 200000) AS slow, max(genre = 2) AS jazz FROM track WHERE album < 40 GROUP BY album ORDER BY album

# HAVING with a select of its own.
SELECT album, sum(milliseconds) AS length FROM track GROUP BY album
HAVING sum(milliseconds) > (SELECT avg(milliseconds) * 20 FROM track) ORDER BY album
----

# Each once.
SELECT DISTINCT country, state FROM customer ORDER BY country, state
----

# Each once, behind a join, cut.
SELECT DISTINCT g.name AS genre FROM line l JOIN track t ON l.track = t.id JOIN genre g ON t.genre = g.id ORDER BY genre DESC LIMIT 8
----

# The best customer of each country.
SELECT x.country, max(x.sales) AS best FROM (SELECT country, customer, sum(total) AS sales FROM invoice GROUP BY country, customer) x
GROUP BY x.country ORDER BY x.country
----
SELECT x.country, max(x.sales) AS best FROM (SELECT country, customer, round(sum(total), 2) AS sales FROM invoice GROUP BY country, customer) x
GROUP BY x.country ORDER BY x.country

# Employees by the year they were hired, with the mean age in years.
SELECT strftime('%Y', hired) AS year, count(*) AS n, min(born) AS oldest FROM employee GROUP BY strftime('%Y', hired) ORDER BY year
----
