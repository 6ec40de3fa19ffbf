package fraudstream.query.spark;

import fraudstream.query.values.Record;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.util.CollectionAccumulator;

/** Runs a query that keeps nothing from row to row on some parts of the inputs. */
final class EachPart extends Task implements VoidFunction<Iterator<Part>> {
    private static final long serialVersionUID = 1L;
    private static final int MOST_ROWS = 20_000;

    EachPart(Job job, CollectionAccumulator<TaskReport> reports) {
        super(job, reports);
    }

    @Override
    public void call(Iterator<Part> parts) throws IOException {
        TaskReport report = new TaskReport();
        Reading reading = new Reading(job, job.inputs("streams"), parts, report);
        RunningQuery query = new RunningQuery(job, "each-" + TaskContext.getPartitionId(), report);
        List<Row> rows = new ArrayList<>();
        while (report.stop == null && reading.next()) {
            rows.add(new Row(reading.ticks(), reading.input(), reading.record()));
            if (rows.size() == MOST_ROWS) {
                push(query, rows);
            }
        }
        push(query, rows);
        query.finish();
        reports.add(report);
    }

    /** The engine takes rows in the order of time alone. */
    private static void push(RunningQuery query, List<Row> rows) throws IOException {
        rows.sort(Comparator.comparingLong(row -> row.ticks));
        if (query.beginGathering()) {
            // Twice: the first time only to ask Python for many results at once.
            push(query, rows.iterator());
            query.endGathering();
        }
        query.restart();
        push(query, rows.iterator());
        rows.clear();
    }

    private static void push(RunningQuery query, Iterator<Row> rows) {
        while (rows.hasNext()) {
            Row row = rows.next();
            query.push(row.input, row.ticks, row.record);
        }
    }

    private record Row(long ticks, int input, Record record) {
    }
}
