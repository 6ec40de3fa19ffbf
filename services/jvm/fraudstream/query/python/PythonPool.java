package fraudstream.query.python;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.python.PythonProcess.Ended;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Unavailable;
import fraudstream.query.values.Watch;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The functions in Python of a job that runs for a long time: as many processes as threads call at the same time. A
 * process that has ended is replaced, and one that does not answer in time is ended. Serves any number of threads.
 */
public final class PythonPool implements UserFunctions {
    private static final Map<JsonNode, PythonPool> POOLS = new ConcurrentHashMap<>();
    private static final Set<PythonPool> WATCHED = ConcurrentHashMap.newKeySet();
    // Imports of large libraries take many seconds on a busy machine.
    private static final long LOAD_SECONDS = 60;
    private static final long IDLE_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final long LOOK_MILLIS = 100;
    private static Thread watch;

    private final JsonNode described;
    private final long seconds;
    private final String advice;
    /** Their spelling by their names in lower case. */
    private final Map<String, String> names = new LinkedHashMap<>();
    /** Those that wait for a call, the latest first. */
    private final Deque<Idle> idle = new ArrayDeque<>();
    private final Set<PythonProcess> all = ConcurrentHashMap.newKeySet();

    private record Idle(PythonProcess process, long since) {
    }

    private PythonPool(JsonNode described) {
        this.described = described;
        seconds = described.get("seconds").asLong();
        advice = described.get("advice").asText();
        described.get("names").forEach(name -> names.put(name.asText().toLowerCase(Locale.ROOT), name.asText()));
    }

    /**
     * The functions that are described as {@link PythonFunctions#of} takes them; {@code seconds} is the time that a call
     * may take. Throws {@link PlanRefused} where Python does not start, or a function cannot be loaded.
     */
    public static PythonPool of(JsonNode described) {
        return POOLS.computeIfAbsent(described, PythonPool::begun);
    }

    private static PythonPool begun(JsonNode described) {
        PythonPool pool = new PythonPool(described);
        WATCHED.add(pool);
        try {
            pool.give(pool.started());
        } catch (Unavailable error) {
            WATCHED.remove(pool);
            throw new PlanRefused(error.getMessage(), 0, 0);
        }
        return pool;
    }

    @Override
    public Object call(String kind, String name, Object[] arguments) {
        String known = names.get(name.toLowerCase(Locale.ROOT));
        List<String> json = List.of(PythonValues.toPython(arguments).toString());
        PythonProcess process = taken();
        if (process != null) {
            try {
                return answer(process, known, json);
            } catch (Ended ended) {
                if (ended.isLate) {
                    throw stopped(known, ended);
                }
                // What came before may have ended it, or somebody outside: the call alone shows whether it is to blame.
            }
        }
        try {
            return answer(started(), known, json);
        } catch (Ended ended) {
            throw stopped(known, ended);
        }
    }

    private QueryStopped stopped(String name, Ended ended) {
        return new QueryStopped("udf." + name + " stopped: Python has ended (" + ended.getMessage() + "). " + advice);
    }

    private Object answer(PythonProcess process, String name, List<String> arguments) throws Ended {
        try {
            Object result = process.results(name, arguments, seconds).get(0);
            give(process);
            return result;
        } catch (QueryStopped failed) {
            give(process);
            throw failed;
        } catch (Ended | RuntimeException ended) {
            drop(process);
            throw ended;
        }
    }

    @Override
    public boolean has(String kind, String name) {
        return "udf".equals(kind) && names.containsKey(name.toLowerCase(Locale.ROOT));
    }

    /** A process that waits, or null if there is none. */
    private synchronized PythonProcess taken() {
        while (!idle.isEmpty()) {
            PythonProcess process = idle.pop().process;
            if (process.isAlive()) {
                return process;
            }
            drop(process);
        }
        return null;
    }

    private synchronized void give(PythonProcess process) {
        idle.push(new Idle(process, System.nanoTime()));
    }

    private void drop(PythonProcess process) {
        process.end();
        all.remove(process);
    }

    private PythonProcess started() {
        PythonProcess process;
        try {
            process = new PythonProcess(described);
        } catch (IOException error) {
            throw new Unavailable("Python cannot be started: " + error.getMessage(), error);
        }
        all.add(process);
        watch();
        String problem;
        try {
            problem = process.load(names.values(), LOAD_SECONDS);
        } catch (Ended ended) {
            problem = "Python ended while it loaded the functions (" + ended.getMessage() + ")";
        }
        if (problem != null) {
            drop(process);
            throw new Unavailable(problem, null);
        }
        return process;
    }

    private static synchronized void watch() {
        watch = watch != null ? watch : Watch.started("python-watch", LOOK_MILLIS, PythonPool::look);
    }

    private static void look() {
        for (PythonPool pool : WATCHED) {
            pool.all.forEach(process -> process.endIfLate(System.nanoTime()));
            pool.endIdle(System.nanoTime());
        }
    }

    private synchronized void endIdle(long now) {
        while (!idle.isEmpty() && now - idle.peekLast().since > IDLE_NANOS) {
            drop(idle.pollLast().process);
        }
    }
}
