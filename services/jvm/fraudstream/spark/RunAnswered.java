package fraudstream.spark;

import fraudstream.model.Decision;
import fraudstream.query.job.ProjectQuery;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A record of {@code transactions} and what a scorer elsewhere answered of it → topic, key and value of each record
 * that the project's query makes of it, or of the one that says why it is rejected.
 */
public class RunAnswered extends Function {
    RunAnswered() {
        super("run_answered", Source.columns(Answer.SCHEMA, DataTypes.StringType));
    }

    /** {@code answer} is as {@link FinishRecord} takes it; {@code query} is the path of the compiled query's file. */
    public static ArrayData invoke(
        byte[] value,
        byte[] key,
        UTF8String topic,
        int partition,
        long offset,
        long enqueued,
        InternalRow answer,
        UTF8String query) {
        Answer answered = new Answer(answer);
        Source source = new Source(topic, partition, offset, enqueued);
        if (answered.isRefusal()) {
            return new GenericArrayData(new InternalRow[] {answered.refusal(value, key, source)});
        }
        Outcome outcome = new Outcome(ProjectQuery.of(query), value, key, source);
        Decision decision = answered.decision();
        try {
            return outcome.answered(
                answered.key(), answered.micros(), decision, answered.threshold(), answered.modelVersion());
        } catch (RuntimeException | StackOverflowError error) {
            return outcome.failed(error);
        }
    }
}
