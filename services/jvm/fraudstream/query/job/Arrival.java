package fraudstream.query.job;

import fraudstream.query.values.Datetime;
import fraudstream.query.values.Record;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * How an event came in, as an input from Event Hubs tells it.
 *
 * @param enqueued the broker's time in microseconds since 1970 in UTC
 * @param key the sender's key; may be null
 */
public record Arrival(String topic, int partition, long offset, long enqueued, byte[] key) {
    /** The broker's time in ticks. */
    long ticks() {
        return enqueued * Datetime.TICKS_PER_MICROSECOND;
    }

    /** Adds the columns that such inputs have beside the event's own, in whose place they stand. */
    void addTo(Record record) {
        record.put("EventProcessedUtcTime", new Datetime(System.currentTimeMillis() * Datetime.TICKS_PER_MILLISECOND));
        record.put("PartitionId", (long) partition);
        record.put("EventEnqueuedUtcTime", new Datetime(ticks()));
    }

    /** What GetMetadataPropertyValue reads of the record. */
    Record metadata(Record record) {
        String sentKey = key == null ? null : new String(key, StandardCharsets.UTF_8);
        Record hub = Record.of(
            "EventEnqueuedUtcTime", record.get("EventEnqueuedUtcTime"), "EventProcessedUtcTime",
            record.get("EventProcessedUtcTime"), "PartitionId", (long) partition, "Offset", Long.toString(offset),
            "SequenceNumber", offset, "PartitionKey", sentKey, "Publisher", null);
        byte[] place = (topic + '/' + partition + '/' + offset).getBytes(StandardCharsets.UTF_8);
        return Record.of("EventHub", hub, "EventId", UUID.nameUUIDFromBytes(place).toString());
    }
}
