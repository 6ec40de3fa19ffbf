package fraudstream.query.spark;

import fraudstream.query.values.Packed;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.util.CollectionAccumulator;
import scala.Tuple2;

/** Runs a query on the rows of a partition, which come in the order of time. */
final class InOrder extends Task implements VoidFunction<Iterator<Tuple2<byte[], byte[]>>> {
    private static final long serialVersionUID = 1L;

    InOrder(Job job, CollectionAccumulator<TaskReport> reports) {
        super(job, reports);
    }

    @Override
    public void call(Iterator<Tuple2<byte[], byte[]>> rows) throws IOException {
        TaskReport report = new TaskReport();
        RunningQuery query = new RunningQuery(job, "ordered-" + TaskContext.getPartitionId(), report);
        query.restart();
        while (report.stop == null && rows.hasNext()) {
            Tuple2<byte[], byte[]> row = rows.next();
            Record record = (Record) Packed.unpack(row._2());
            query.push(SortKey.input(row._1()), SortKey.ticks(row._1()), record);
        }
        query.finish();
        reports.add(report);
    }
}
