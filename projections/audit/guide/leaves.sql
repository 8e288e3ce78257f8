-- How many lines of the archive there are, and of how many the hash is the one in the log's tile of leaves.
SELECT COUNT(*) AS lines, COUNT(CASE WHEN tiles.hash = lines.hash THEN 1 END) AS as_in_the_log
FROM (
    -- RFC 6962, 2.1: the hash of a leaf is that of a zero byte and its data
    SELECT log_index, sha256('\x00'::BLOB || encode(line)) AS hash FROM read_parquet('archive/events-*.parquet')
) AS lines
LEFT JOIN (
    SELECT tile * 256 + generate_subscripts(hashes, 1) - 1 AS log_index, unnest(hashes) AS hash
    FROM (
        SELECT
            -- log/tile/0/x001/x234/067.p/12 is the tile 1234067
            CAST(replace(replace(regexp_extract(filename, 'tile/0/([x0-9/]+)', 1), 'x', ''), '/', '') AS BIGINT) AS tile,
            regexp_extract_all(lower(hex(content)), '.{64}') AS hashes
        FROM read_blob('log/tile/0/**')
    ) AS tiles
) AS tiles ON tiles.log_index = lines.log_index;
