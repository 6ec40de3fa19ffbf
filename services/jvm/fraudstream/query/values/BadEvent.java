package fraudstream.query.values;

/** An event that cannot be read; the message says why. The event is dropped and the run goes on. */
public final class BadEvent extends Exception {
    private static final long serialVersionUID = 1L;

    public BadEvent(String message) {
        super(message, null, false, false);
    }
}
