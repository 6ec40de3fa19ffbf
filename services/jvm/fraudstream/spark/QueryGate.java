package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import fraudstream.query.job.EventRecord;
import fraudstream.query.live.Gate;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Json;
import fraudstream.query.values.Record;
import java.nio.charset.StandardCharsets;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * The contract before the part of a project's query that has windows. What it refuses is rejected by the job's other
 * query, which reads the same topic. Records of other topics are no events of the contract's.
 */
public class QueryGate implements Gate {
    private static final String EVENTS = "transactions";

    @Override
    public Record admit(Message message) throws BadEvent {
        if (!message.topic().equals(EVENTS)) {
            return Json.readRecord(message.value());
        }
        Event event = EventReader.readAny(Contract.CURRENT, message.value(), false);
        return event.reason() != null ? null : new EventRecord(message.value()).record;
    }

    @Override
    public byte[] rejected(Message message, String reason) {
        Source source = new Source(
            UTF8String.fromString(message.topic()), message.partition(), message.offset(), message.enqueuedMicros());
        return Records.rejectedValue(message.value(), message.key(), Event.refused("query", reason), source, "");
    }

    @Override
    public byte[] rejected(String row, String reason) {
        byte[] raw = row.getBytes(StandardCharsets.UTF_8);
        return Records.rejectedValue(raw, null, Event.refused("query", reason), null, "");
    }
}
