// Where an event came from, as one record: the language has no constructor of records.
function main(partition, offset, enqueuedAt) {
    return {
        topic: 'transactions',
        partition: number(partition),
        offset: number(offset),
        enqueued_at: enqueuedAt
    };
}

// Offsets are texts in Azure; of a namespace with replicas they are no numbers.
function number(value) {
    return value === null || isNaN(value) ? value : Number(value);
}
