package fraudstream.query.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import fraudstream.query.values.PlanRefused;
import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A project's query as the stream job has compiled it, in a file: which outputs the contract function makes by itself,
 * and the plan of those that are computed row by row. All tasks of a process share it; each thread has an engine.
 */
public final class ProjectQuery {
    private static final Map<UTF8String, ProjectQuery> READ = new ConcurrentHashMap<>();
    private static volatile ProjectQuery latest;

    /** The topics of scored events and of alerts, as the contract function writes them; null for none. */
    public final UTF8String scored;
    public final UTF8String alerts;
    private final UTF8String path;
    private final ThreadLocal<RowEngine> engines;

    private ProjectQuery(UTF8String path, JsonNode described) {
        this.path = path;
        scored = topic(described.get("scored"));
        alerts = topic(described.get("alerts"));
        JsonNode rows = described.get("rows");
        if (rows.isNull()) {
            engines = null;
            return;
        }
        // A plan that this engine refuses concerns all records.
        List<ReferenceVersions> references = ReferenceVersions.of(rows.get("references"), rows.get("plan"));
        RowEngine first = new RowEngine(rows, references);
        engines = ThreadLocal.withInitial(() -> new RowEngine(rows, references));
        engines.set(first);
    }

    private static UTF8String topic(JsonNode name) {
        return name.isNull() ? null : UTF8String.fromString(name.asText());
    }

    /** The query in the file at a path. Throws {@link IllegalStateException} where it cannot be run. */
    public static ProjectQuery of(UTF8String path) {
        ProjectQuery query = latest;
        if (query == null || !query.path.equals(path)) {
            query = READ.get(path);
            // Spark may reuse a text's bytes for the next record.
            latest = query = query != null ? query : READ.computeIfAbsent(path.clone(), ProjectQuery::read);
        }
        return query;
    }

    private static ProjectQuery read(UTF8String path) {
        try {
            return new ProjectQuery(path, new ObjectMapper().readTree(new File(path.toString())));
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: the query's plan cannot be read: " + error.getMessage());
        } catch (PlanRefused error) {
            // The job's start takes it apart again.
            throw new IllegalStateException("fraudstream: the query cannot be run: " + Math.max(error.line, 1) + ':'
                + Math.max(error.column, 1) + ": " + error.getMessage().replace('\n', ' '), error);
        }
    }

    /** This thread's engine; null where all outputs are the contract function's. */
    public RowEngine engine() {
        return engines == null ? null : engines.get();
    }
}
