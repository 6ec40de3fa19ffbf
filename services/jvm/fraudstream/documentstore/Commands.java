package fraudstream.documentstore;

import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What the server does with a command before the library has it, or in the library's place. */
final class Commands {
    private static final int BAD_VALUE = 2;
    // A commit follows every other command, whether it wrote or not.
    private static final Set<String> READS = Set.of(
        "buildinfo", "collstats", "connectionstatus", "count", "dbstats", "distinct", "endsessions", "find", "getmore",
        "hello", "hostinfo", "ismaster", "killcursors", "listcollections", "listdatabases", "listindexes", "ping",
        "serverstatus", "whatsmyuri");
    private static final List<String> COUNTED_STAGES = List.of("$match", "$skip", "$limit");
    private static final String COUNT_STAGE = "{\"_id\" : 1, \"n\" : {\"$sum\" : 1}}";

    private Commands() {
    }

    /** Whether a command, by its name in lower case, may change documents. */
    static boolean writes(String name, Document query) {
        if (name.equals("aggregate")) {
            List<Document> stages = documents(query.get("pipeline"));
            Document last = stages.isEmpty() ? null : stages.get(stages.size() - 1);
            return last != null && (last.containsKey("$merge") || last.containsKey("$out"));
        }
        return !READS.contains(name);
    }

    /**
     * Leaves only the unique ones among the indexes to create; false if there are none.
     *
     * <p>The library has no others: it would keep their names, and read whole collections for them at every start.
     */
    static boolean keepUnique(Document query) {
        List<Document> kept = new ArrayList<>(documents(query.get("indexes")));
        kept.removeIf(index -> !isTrue(index.get("unique")));
        query.put("indexes", kept);
        return !kept.isEmpty();
    }

    /**
     * The {@code count} command for an aggregation that is pymongo's {@code count_documents}, else null.
     *
     * <p>Every aggregation loads the whole collection first, which {@code count} does not.
     */
    static Document counting(Document query) {
        List<Document> stages = new ArrayList<>(documents(query.get("pipeline")));
        if (stages.isEmpty() || !counts(stages.remove(stages.size() - 1))) {
            return null;
        }
        Document count = new Document("count", query.get("aggregate"));
        for (String stage : COUNTED_STAGES) {
            if (!stages.isEmpty() && stages.get(0).containsKey(stage)) {
                count.put(stage.equals("$match") ? "query" : stage.substring(1), stages.remove(0).get(stage));
            }
        }
        return stages.isEmpty() ? count : null;
    }

    /** The answer to that aggregation, from the {@code count} command's. */
    static Document countAnswer(String namespace, Document counted) {
        List<Document> batch = new ArrayList<>();
        if (counted.get("n") instanceof Number number && number.longValue() != 0) {
            batch.add(new Document("_id", 1).append("n", number));
        }
        return new Document("cursor", new Document("id", 0L).append("ns", namespace).append("firstBatch", batch))
            .append("ok", 1.0);
    }

    /** The answer with a code for each write error: drivers distinguish errors by it, and PyMongo needs one. */
    static Document withCodes(Document answer) {
        for (Document error : documents(answer.get("writeErrors"))) {
            if (error.get("code") == null) {
                error.put("code", BAD_VALUE);
            }
        }
        return answer;
    }

    /** The answer to an {@code insert} with the number of documents that were inserted: the library counts the others. */
    static Document withInserted(Document query, Document answer) {
        List<Document> errors = documents(answer.get("writeErrors"));
        if (!errors.isEmpty()) {
            boolean goesOn = query.containsKey("ordered") && !isTrue(query.get("ordered"));
            int firstError = ((Number) errors.get(0).get("index")).intValue();
            answer.put("n", goesOn ? documents(query.get("documents")).size() - errors.size() : firstError);
        }
        return answer;
    }

    private static boolean counts(Document stage) {
        Object group = stage.get("$group");
        return group != null && group.toString().equals(COUNT_STAGE);
    }

    private static boolean isTrue(Object value) {
        return value instanceof Boolean truth ? truth : value instanceof Number number && number.doubleValue() != 0;
    }

    /** A list of documents as such; none where the value is absent. */
    @SuppressWarnings("unchecked")
    private static List<Document> documents(Object value) {
        return value == null ? List.of() : (List<Document>) value;
    }
}
