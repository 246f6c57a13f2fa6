-- The points of the parties that whoever votes or hands a ruling in had read, by key (NULL: from before it was kept, or
-- the rules decided). What came after and before the ruling became known is named in the ruling's grounds.
ALTER TABLE panel_vote ADD COLUMN seen text[];
ALTER TABLE ruling_submission ADD COLUMN seen text[];
