package fraudstream.query.live;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The parts of states that this Java process has in memory, each at one version. */
final class Held {
    private static final Map<String, Held> ALL = new ConcurrentHashMap<>();

    private final long version;
    private final StatePart part;

    private Held(long version, StatePart part) {
        this.version = version;
        this.part = part;
    }

    /** Takes a part out, if it is there at that version; null otherwise. Who fails with it leaves nothing behind. */
    static StatePart take(String checkpoint, int number, long version) {
        Held held = ALL.remove(checkpoint + '/' + number);
        return held != null && held.version == version ? held.part : null;
    }

    static void put(String checkpoint, int number, long version, StatePart part) {
        ALL.put(checkpoint + '/' + number, new Held(version, part));
    }

    /** Lets go of all parts of a checkpoint. */
    static void drop(String checkpoint) {
        ALL.keySet().removeIf(key -> key.startsWith(checkpoint + '/'));
    }
}
