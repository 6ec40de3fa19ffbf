package fraudstream.query.spark;

import java.io.Serializable;
import org.apache.spark.util.CollectionAccumulator;

/** What every task of a run has: the job, and where its report goes. */
abstract class Task implements Serializable {
    private static final long serialVersionUID = 1L;

    final Job job;
    final CollectionAccumulator<TaskReport> reports;

    Task(Job job, CollectionAccumulator<TaskReport> reports) {
        this.job = job;
        this.reports = reports;
    }
}
