package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.model.Decision;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.StructType;

/**
 * What is known of a record that was checked, and what a scorer elsewhere answered of it. It holds one of three: the
 * value of a rejected record that is finished; a reason to reject the event, with its field; or the event's key, its time
 * and the decision.
 */
record Answer(InternalRow row) {
    static final StructType SCHEMA = StructType.fromDDL(Contract.CURRENT.schema("answer"));
    private static final int EVENT_KEY = SCHEMA.fieldIndex("event_key");
    private static final int EVENT_MICROS = SCHEMA.fieldIndex("event_micros");
    private static final int REJECTED = SCHEMA.fieldIndex("rejected");
    private static final int PREDICTION = SCHEMA.fieldIndex("prediction");
    private static final int SCORE = SCHEMA.fieldIndex("score");
    private static final int THRESHOLD = SCHEMA.fieldIndex("threshold");
    private static final int MODEL_VERSION = SCHEMA.fieldIndex("model_version");
    private static final int REASONS = SCHEMA.fieldIndex("reasons");
    private static final int FIELD = SCHEMA.fieldIndex("field");
    private static final int REASON = SCHEMA.fieldIndex("reason");

    /** Whether it is one of the first two. */
    boolean isRefusal() {
        return !row.isNullAt(REJECTED) || !row.isNullAt(REASON);
    }

    /** The record of {@code rejected} of a refusal. */
    InternalRow refusal(byte[] value, byte[] key, Source source) {
        if (!row.isNullAt(REJECTED)) {
            return Records.rejected(key, row.getBinary(REJECTED));
        }
        return Records.rejected(value, key, Event.refused(row.getString(FIELD), row.getString(REASON)), source);
    }

    String key() {
        return row.getString(EVENT_KEY);
    }

    /** The event's time in microseconds since 1970 in UTC. */
    long micros() {
        return row.getLong(EVENT_MICROS);
    }

    Decision decision() {
        return new Decision(row.getInt(PREDICTION), row.getDouble(SCORE), reasons(row.getArray(REASONS)));
    }

    double threshold() {
        return row.getDouble(THRESHOLD);
    }

    String modelVersion() {
        return row.getString(MODEL_VERSION);
    }

    private static String reasons(ArrayData reasons) {
        StringBuilder json = new StringBuilder(180).append('[');
        for (int reason = 0; reason < reasons.numElements(); reason++) {
            InternalRow members = reasons.getStruct(reason, 2);
            Decision.addReason(json, members.getString(0), members.getDouble(1));
        }
        return json.append(']').toString();
    }
}
