package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import fraudstream.model.Champion;
import fraudstream.model.Ensemble;
import fraudstream.query.job.ProjectQuery;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A record of {@code transactions} → topic, key and value of each record that the project's query makes of it, or of
 * the one that says why it is rejected. Where the query calls the model, that is the champion whose trees are in a file.
 */
public class RunRecord extends Function {
    RunRecord() {
        super("run", Source.columns(DataTypes.StringType, DataTypes.StringType));
    }

    /**
     * {@code enqueued}: the broker's time in microseconds since 1970 in UTC; {@code key} may be null; {@code query} is
     * the path of the compiled query's file, {@code champion} that of the trees', empty where nothing is scored.
     */
    public static ArrayData invoke(
        byte[] value,
        byte[] key,
        UTF8String topic,
        int partition,
        long offset,
        long enqueued,
        UTF8String query,
        UTF8String champion) {
        ProjectQuery compiled = ProjectQuery.of(query);
        Source source = new Source(topic, partition, offset, enqueued);
        Event event = EventReader.readAny(Contract.CURRENT, value, false);
        if (event.reason() != null) {
            return Outcome.rejected(value, key, event, source);
        }
        // A champion that is not there, or not of this contract, concerns all records: it fails the batch.
        Ensemble ensemble = champion.numBytes() == 0 ? null : Champion.of(champion);
        Outcome outcome = new Outcome(compiled, value, key, source);
        try {
            return outcome.decided(event, ensemble);
        } catch (RuntimeException | StackOverflowError error) {
            return outcome.failed(error);
        }
    }
}
