package fraudstream.query.job;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.model.Ensemble;
import fraudstream.query.engine.Engine;
import fraudstream.query.engine.Lateness;
import fraudstream.query.engine.Output;
import fraudstream.query.input.Admission;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Runs the part of a query that keeps nothing from row to row on one event after another. An event is what its input
 * makes of it in Azure: with the columns of Event Hubs, and set aside where it would not reach the query. One thread
 * at a time may use an engine.
 */
public final class RowEngine implements Output {
    // References that an engine knows are never let go of: with so many versions another engine takes its place.
    private static final int MOST_VERSIONS = 12;

    private final JsonNode plan;
    private final List<ReferenceVersions> references;
    /** Of each reference input the version that the record before met, and the times of those that the engine has. */
    private final ReferenceVersions.Version[] current;
    private final List<Set<Long>> given = new ArrayList<>();
    private Engine engine;
    /** What happens to an event before the query, by the names that the query has for its input. */
    private final Map<String, Admission> admissions = new LinkedHashMap<>();
    private final JobFunctions functions;
    private final Map<String, Target> targets = new HashMap<>();
    private final boolean readsMetadata;
    private final long lateTicks;
    private final boolean dropsLate;
    private final List<Row> rows = new ArrayList<>();

    /** A row of an output. */
    public record Row(Target target, Record record) {
    }

    /** Throws {@code PlanRefused} for what the engine does not have. */
    RowEngine(JsonNode described, List<ReferenceVersions> references) {
        plan = described.get("plan");
        this.references = references;
        current = new ReferenceVersions.Version[references.size()];
        references.forEach(input -> given.add(new HashSet<>()));
        functions = new JobFunctions(described);
        engine = new Engine(plan, functions, this);
        for (JsonNode input : described.get("inputs")) {
            admissions.put(input.asText(), Admission.of(plan, input.asText(), functions));
        }
        for (JsonNode target : described.get("targets")) {
            targets.put(target.get("output").asText(), new Target(target));
        }
        readsMetadata = described.get("reads_metadata").asBoolean();
        lateTicks = described.get("late_ticks").asLong();
        dropsLate = described.get("drops_late").asBoolean();
    }

    /**
     * The rows that an event gives, in the order of the outputs; they are of use until the next call. Calls of the model
     * get the champion's decision, or this one: one of the two is null, or both where no query calls it. Throws
     * {@link QueryStopped} where the query would stop, or its input would drop the event.
     */
    public List<Row> run(EventRecord event, Arrival arrival, Ensemble champion, Record decision) {
        rows.clear();
        functions.use(champion, decision);
        arrival.addTo(event.record);
        if (readsMetadata) {
            event.record.setMetadata(arrival.metadata(event.record));
        }
        try {
            for (Map.Entry<String, Admission> input : admissions.entrySet()) {
                Record record = input.getValue().checked(event.record, false);
                long ticks = input.getValue().ticks(record, arrival.ticks());
                long moment = moment(ticks, arrival.ticks());
                know(moment);
                engine.alone(input.getKey(), moment, record);
            }
        } catch (BadEvent dropped) {
            throw new QueryStopped(dropped.getMessage());
        }
        return rows;
    }

    /** Sees to it that the engine has the reference data that hold at a time. */
    private void know(long moment) {
        for (int at = 0; at < current.length; at++) {
            ReferenceVersions input = references.get(at);
            ReferenceVersions.Version version = input.at(moment);
            if (version == current[at]) {
                continue;
            }
            if (given.get(at).size() == MOST_VERSIONS) {
                engine = new Engine(plan, functions, this);
                given.forEach(Set::clear);
                Arrays.fill(current, null);
                know(moment);
                return;
            }
            if (given.get(at).add(version.effective())) {
                engine.reference(input.name, version.effective(), version.rows());
            }
            current[at] = version;
        }
    }

    /** The time that counts, as the job's policy has it for an event that comes early or late. */
    private long moment(long ticks, long arrival) {
        if (ticks > arrival + Lateness.EARLY) {
            throw new QueryStopped("Its time lies more than five minutes after its arrival.");
        }
        if (lateTicks < 0 || ticks >= arrival - lateTicks) {
            return ticks;
        }
        if (dropsLate) {
            throw new QueryStopped("It is later than the job's policy allows, which is to drop such events.");
        }
        return arrival - lateTicks;
    }

    @Override
    public void take(String output, long ticks, Record row) {
        Target target = targets.get(output);
        rows.add(new Row(target != null ? target : spelled(output), row));
    }

    private Target spelled(String output) {
        return targets.entrySet().stream()
            .filter(one -> one.getKey().toLowerCase(Locale.ROOT).equals(output.toLowerCase(Locale.ROOT)))
            .findFirst().orElseThrow().getValue();
    }
}
