package fraudstream.model;

import fraudstream.contract.Contract;
import java.io.File;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Follows the file of the champion's trees, which the job replaces at each promotion. All tasks of a process share one
 * copy, which is replaced whole between two events.
 */
public final class Champion {
    private static final long LOOK_EVERY_NANOS = 500_000_000L;
    private static final Map<UTF8String, Champion> FOLLOWED = new ConcurrentHashMap<>();

    private final File file;
    private volatile Ensemble ensemble;
    private volatile long lookAt;
    private long modified;

    private Champion(String path) {
        file = new File(path);
        lookAt = System.nanoTime();
    }

    /**
     * The trees in the file at a path, which is looked at every half second; the last ones where it cannot be read.
     * Throws {@link IllegalStateException} where there are none yet, or none of this contract.
     */
    public static Ensemble of(UTF8String path) {
        Champion followed = FOLLOWED.get(path);
        if (followed == null) {
            // Spark may reuse a text's bytes for the next record.
            followed = FOLLOWED.computeIfAbsent(path.clone(), kept -> new Champion(kept.toString()));
        }
        return followed.current();
    }

    private Ensemble current() {
        if (System.nanoTime() - lookAt >= 0) {
            look();
        }
        return ensemble;
    }

    private synchronized void look() {
        if (System.nanoTime() - lookAt < 0) {
            return;
        }
        long modifiedNow = file.lastModified();
        if (modifiedNow != modified || ensemble == null) {
            try {
                ensemble = Ensemble.read(Contract.CURRENT, file);
                modified = modifiedNow;
            } catch (IOException error) {
                if (ensemble == null) {
                    throw new IllegalStateException(
                        "fraudstream: no champion's trees at " + file + ": " + error.getMessage());
                }
            }
        }
        lookAt = System.nanoTime() + LOOK_EVERY_NANOS;
    }
}
