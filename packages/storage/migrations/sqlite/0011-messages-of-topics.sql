-- A topic's messages, newest first, without those of others.
CREATE INDEX messages_of_topic ON messages (topic_seq, seq)
  WHERE topic_seq IS NOT NULL;
