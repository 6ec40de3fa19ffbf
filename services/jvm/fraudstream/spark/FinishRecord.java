package fraudstream.spark;

import fraudstream.model.Decision;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/** What {@link DecideRecord} gives, of a record on which a scorer elsewhere has answered. */
public class FinishRecord extends Function {
    private static final String NAME = "finish";

    FinishRecord() {
        super(NAME, Source.columns(Answer.SCHEMA));
    }

    /** {@code answer} is of the columns of {@link Answer}. */
    public static InternalRow invoke(
        byte[] value, byte[] key, UTF8String topic, int partition, long offset, long enqueued, InternalRow answer) {
        Answer answered = new Answer(answer);
        Source source = new Source(topic, partition, offset, enqueued);
        if (answered.isRefusal()) {
            return answered.refusal(value, key, source);
        }
        byte[] inCommon = Decision.inCommon(answered.threshold(), answered.modelVersion());
        return Records.scored(
            value, key, answered.key(), answered.micros(), answered.decision(), inCommon, source);
    }
}
