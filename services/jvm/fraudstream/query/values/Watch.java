package fraudstream.query.values;

/** A thread that looks at something again and again for as long as the process runs, and holds up no end of it. */
public final class Watch {
    private Watch() {
    }

    public static Thread started(String name, long everyMillis, Runnable look) {
        Thread thread = new Thread(() -> repeat(everyMillis, look), name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void repeat(long everyMillis, Runnable look) {
        try {
            while (true) {
                Thread.sleep(everyMillis);
                look.run();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }
}
