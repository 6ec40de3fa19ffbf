package fraudstream.query.values;

/** What a query needs and does not get, whatever the record is: the batch fails, and is tried again. */
public final class Unavailable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public Unavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
