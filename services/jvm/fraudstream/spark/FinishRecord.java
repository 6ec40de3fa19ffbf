package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.model.Decision;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A record of {@code transactions} and what a scorer elsewhere answered of it → topic, key and value of the record that
 * comes out: scored, or rejected with its reason.
 */
public class FinishRecord extends Function {
    private static final StructType ANSWER = StructType.fromDDL(Contract.CURRENT.schema("answer"));
    private static final int EVENT_KEY = ANSWER.fieldIndex("event_key");
    private static final int EVENT_MICROS = ANSWER.fieldIndex("event_micros");
    private static final int REJECTED = ANSWER.fieldIndex("rejected");
    private static final int PREDICTION = ANSWER.fieldIndex("prediction");
    private static final int SCORE = ANSWER.fieldIndex("score");
    private static final int THRESHOLD = ANSWER.fieldIndex("threshold");
    private static final int MODEL_VERSION = ANSWER.fieldIndex("model_version");
    private static final int REASONS = ANSWER.fieldIndex("reasons");
    private static final int FIELD = ANSWER.fieldIndex("field");
    private static final int REASON = ANSWER.fieldIndex("reason");

    FinishRecord() {
        super("finish", Source.columns(ANSWER));
    }

    /**
     * {@code answer} holds one of three: {@code rejected}, the value of a record that is finished; a {@code reason} to
     * reject the event, with its {@code field}; or the event's key, its time and the decision.
     */
    public static InternalRow invoke(
        byte[] value, byte[] key, UTF8String topic, int partition, long offset, long enqueued, InternalRow answer) {
        if (!answer.isNullAt(REJECTED)) {
            return Records.rejected(key, answer.getBinary(REJECTED));
        }
        Source source = new Source(topic, partition, offset, enqueued);
        if (!answer.isNullAt(REASON)) {
            Event event = Event.refused(answer.getString(FIELD), answer.getString(REASON));
            return Records.rejected(value, key, event, source);
        }
        String reasons = reasons(answer.getArray(REASONS));
        Decision decision = new Decision(answer.getInt(PREDICTION), answer.getDouble(SCORE), reasons);
        byte[] inCommon = Decision.inCommon(answer.getDouble(THRESHOLD), answer.getString(MODEL_VERSION));
        return Records.scored(
            value, key, answer.getString(EVENT_KEY), answer.getLong(EVENT_MICROS), decision, inCommon, source);
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
