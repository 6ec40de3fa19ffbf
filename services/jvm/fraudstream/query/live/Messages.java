package fraudstream.query.live;

import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.query.input.CsvRecords;
import fraudstream.query.input.JsonRecords;
import fraudstream.query.input.Records;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Json;
import fraudstream.query.values.Record;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.UUID;

/** What the messages of a topic hold: events, with the columns and metadata that an input from Event Hubs has. */
final class Messages {
    private static final String MESSAGE = "Message";

    private final LiveJob job;
    private final Gate gate;
    private final long processed;

    /** Takes the events of a message; {@code number} counts from 0. */
    interface Taker {
        /** The event, and whether all its values are texts. */
        void take(int number, Record record, boolean areTexts);

        void refuse(int number, BadEvent bad);
    }

    /** {@code processed}: when the batch is processed, in ticks. */
    Messages(LiveJob job, long processed) {
        this.job = job;
        this.processed = processed;
        gate = gate(job);
    }

    /** The job's gate, or null. */
    static Gate gate(LiveJob job) {
        if (job.gateClass() == null) {
            return null;
        }
        try {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            return (Gate) Class.forName(job.gateClass(), true, loader).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException("The gate " + job.gateClass() + " cannot be made.", error);
        }
    }

    static long arrival(Gate.Message message) {
        return message.enqueuedMicros() * Datetime.TICKS_PER_MICROSECOND;
    }

    void read(LiveJob.Input input, Gate.Message message, Taker taker) {
        if (gate != null) {
            try {
                Record record = gate.admit(message);
                if (record != null) {
                    taker.take(0, completed(record, message), false);
                }
            } catch (BadEvent bad) {
                taker.refuse(0, bad);
            }
            return;
        }
        if (message.value() == null || message.value().length == 0) {
            taker.refuse(0, new BadEvent("The message is empty."));
            return;
        }
        if (!input.isCsv()) {
            try {
                taker.take(0, completed(Json.readRecord(message.value()), message), false);
                return;
            } catch (BadEvent notOneObject) {
                // An array of events, or one after the other.
            }
        }
        readAll(input, message, taker);
    }

    private void readAll(LiveJob.Input input, Gate.Message message, Taker taker) {
        ByteArrayInputStream bytes = new ByteArrayInputStream(message.value());
        int number = 0;
        try {
            Records records = input.isCsv() ? new CsvRecords(bytes, input.delimiter) : new JsonRecords(bytes);
            while (records.next()) {
                try {
                    taker.take(number, completed(records.record(), message), input.isCsv());
                } catch (BadEvent bad) {
                    taker.refuse(number, bad);
                }
                number++;
            }
        } catch (IOException error) {
            taker.refuse(number, new BadEvent("It cannot be read: " + error.getMessage() + "."));
            return;
        }
        if (number == 0) {
            taker.refuse(0, new BadEvent("The message holds no event."));
        }
    }

    /** What the message says stands in place of the event's own fields of these names, as in Azure. */
    private Record completed(Record record, Gate.Message message) {
        Datetime enqueued = new Datetime(arrival(message));
        Datetime seen = new Datetime(Math.max(processed, enqueued.ticks));
        record.put("EventProcessedUtcTime", seen);
        record.put("PartitionId", (long) message.partition());
        record.put("EventEnqueuedUtcTime", enqueued);
        if (job.readsMetadata() || job.setsAside()) {
            record.setMetadata(metadata(message, enqueued, seen));
        }
        return record;
    }

    private Record metadata(Gate.Message message, Datetime enqueued, Datetime seen) {
        String key = message.key() == null ? null : new String(message.key(), StandardCharsets.UTF_8);
        Record hub = Record.of(
            "EventEnqueuedUtcTime", enqueued, "EventProcessedUtcTime", seen, "PartitionId", (long) message.partition(),
            "Offset", Long.toString(message.offset()), "SequenceNumber", message.offset(), "PartitionKey", key,
            "Publisher", null);
        String place = message.topic() + '/' + message.partition() + '/' + message.offset();
        String id = UUID.nameUUIDFromBytes(place.getBytes(StandardCharsets.UTF_8)).toString();
        Record metadata = Record.of("EventHub", hub, "EventId", id, "PartitionId", (long) message.partition());
        if (job.setsAside()) {
            metadata.put(MESSAGE, Record.of(
                "topic", message.topic(), "enqueued", message.enqueuedMicros(), "key", latin(message.key()), "value",
                latin(message.value())));
        }
        return metadata;
    }

    // A byte as the character of its number: values of the language have no bytes.
    private static String latin(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static byte[] bytes(Object latin) {
        return latin == null ? null : ((String) latin).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The message that an event came in, where the job sets events aside; null for any other row. */
    static Gate.Message of(Record record) {
        Record metadata = record == null ? null : record.metadata();
        if (metadata == null || !(metadata.get(MESSAGE) instanceof Record)) {
            return null;
        }
        Record kept = (Record) metadata.get(MESSAGE);
        Record hub = (Record) metadata.get("EventHub");
        return new Gate.Message(
            (String) kept.get("topic"), (int) (long) (Long) hub.get("PartitionId"), (Long) hub.get("SequenceNumber"),
            (Long) kept.get("enqueued"), bytes(kept.get("key")), bytes(kept.get("value")));
    }

    /** What is set aside without a gate that says how it is written; {@code row} as JSON where no message is known. */
    static byte[] plainRejection(Gate.Message message, String reason, String row) {
        ObjectNode json = LiveJob.MAPPER.createObjectNode().put("reason", reason).put("field", "query");
        if (message == null) {
            json.put("row", row);
        } else {
            json.put("topic", message.topic()).put("partition", message.partition()).put("offset", message.offset())
                .put("raw_base64", Base64.getEncoder().encodeToString(message.value()));
        }
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }
}
