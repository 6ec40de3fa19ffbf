package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.model.Decision;
import fraudstream.model.Ensemble;
import fraudstream.query.job.EventRecord;
import fraudstream.query.job.ProjectQuery;
import fraudstream.query.job.RowEngine;
import fraudstream.query.job.RowEngine.Row;
import fraudstream.query.job.RowText;
import fraudstream.query.job.Target;
import fraudstream.query.scoring.ScoreFunction;
import fraudstream.query.values.Casts;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import fraudstream.query.values.Unavailable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;

/** What becomes of one record whose event keeps the contract: the records of the outputs, all of them or none. */
final class Outcome {
    private static final String QUERY = "query";
    private static final InternalRow[] NONE = {};

    /** A record that no topic takes. */
    private static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int length;

        TooLarge(int length) {
            super(null, null, false, false);
            this.length = length;
        }
    }

    private final ProjectQuery query;
    private final byte[] value;
    private final byte[] key;
    private final Source source;

    Outcome(ProjectQuery query, byte[] value, byte[] key, Source source) {
        this.query = query;
        this.value = value;
        this.key = key;
        this.source = source;
    }

    /** The one record of an event that is not taken. */
    static ArrayData rejected(byte[] value, byte[] key, Event event, Source source) {
        return list(Records.rejected(value, key, event, source));
    }

    private static ArrayData list(InternalRow... records) {
        return new GenericArrayData(records);
    }

    /** What becomes of an event that the champion decides on; {@code ensemble} is null where the query calls no model. */
    ArrayData decided(Event event, Ensemble ensemble) {
        InternalRow[] own = query.scored == null && query.alerts == null ? NONE
            : ownRecords(event.key(), event.micros(), ensemble.decide(event.features()), ensemble.inCommon);
        RowEngine engine = query.engine();
        return engine == null ? list(own) : joined(own, engine, event.key(), ensemble, null);
    }

    /** The same where somebody else has decided. */
    ArrayData answered(String eventKey, long micros, Decision decision, double threshold, String version) {
        InternalRow[] own = query.scored == null && query.alerts == null ? NONE
            : ownRecords(eventKey, micros, decision, Decision.inCommon(threshold, version));
        RowEngine engine = query.engine();
        return engine == null ? list(own)
            : joined(own, engine, eventKey, null, ScoreFunction.record(decision, threshold, version));
    }

    /** What becomes of an event at which the query stops, or at which the job itself fails. */
    ArrayData failed(Throwable error) {
        if (error instanceof Unavailable everybody) {
            throw everybody;
        }
        if (error instanceof TooLarge large) {
            return rejected(value, key, Records.tooLarge(large.length), source);
        }
        if (error instanceof QueryStopped stopped) {
            return rejected(value, key, Event.refused(QUERY, stopped.reason()), source);
        }
        return rejected(value, key, Event.failed(Contract.CURRENT, error), source);
    }

    /** The records of the outputs that are the contract function's. */
    private InternalRow[] ownRecords(String eventKey, long micros, Decision decision, byte[] inCommon) {
        boolean isAlert = query.alerts != null && decision.prediction() == 1;
        if (query.scored == null && !isAlert) {
            return NONE;
        }
        byte[] record = within(Records.scoredValue(value, micros, decision, inCommon, source));
        byte[] recordKey = eventKey.getBytes(StandardCharsets.UTF_8);
        if (query.scored != null && isAlert) {
            return new InternalRow[] {
                Records.row(query.scored, recordKey, record), Records.row(query.alerts, recordKey, record)};
        }
        return new InternalRow[] {Records.row(isAlert ? query.alerts : query.scored, recordKey, record)};
    }

    private static byte[] within(byte[] record) {
        if (record.length > Contract.CURRENT.mostRecordBytes) {
            throw new TooLarge(record.length);
        }
        return record;
    }

    /** The contract function's records, and those that the query's plan gives. */
    private ArrayData joined(
        InternalRow[] own, RowEngine engine, String eventKey, Ensemble ensemble, Record decision) {
        EventRecord event = new EventRecord(value);
        List<Row> rows = engine.run(event, source.arrival(key), ensemble, decision);
        if (rows.isEmpty()) {
            return list(own);
        }
        InternalRow[] records = Arrays.copyOf(own, own.length + rows.size());
        byte[] ownKey = eventKey.getBytes(StandardCharsets.UTF_8);
        String place = source.json().toString();
        for (int at = 0; at < rows.size(); at++) {
            Target target = rows.get(at).target();
            Record row = rows.get(at).record();
            byte[] rowKey = target.key(row);
            byte[] keyOfProject = target.stamp == Target.Stamp.REJECTED ? key : ownKey;
            byte[] text = switch (target.stamp) {
                case SCORED -> RowText.scored(row, event, place, clock());
                case REJECTED -> rejectedValue(row);
                case NONE -> RowText.plain(row, event);
            };
            records[own.length + at] =
                Records.row(target.topic, rowKey != null ? rowKey : keyOfProject, within(text));
        }
        return list(records);
    }

    private byte[] rejectedValue(Record row) {
        String field = text(row.get("field"), QUERY);
        String reason = text(row.get("reason"), field + ": rejected by the query");
        String further = RowText.further(row);
        String kept = further.length() > Contract.CURRENT.cutRawBytes ? "" : further;
        return Records.rejectedValue(value, key, Event.refused(field, reason), source, kept);
    }

    private static String text(Object value, String otherwise) {
        return value == null || value instanceof Record || value instanceof List ? otherwise : Casts.text(value);
    }

    private static String clock() {
        return new Bytes(24).millis(System.currentTimeMillis()).text().toString();
    }
}
