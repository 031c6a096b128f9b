using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Queues;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Tests.Routing;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Queues;

/// <summary>What a hub's process leaves behind, the next one finds.</summary>
public sealed class MessageJournalTests : IDisposable
{
    private const long NoRewriting = long.MaxValue;

    private static readonly HubIdentity Receiver = new("gateway", "b");
    private static readonly QueueName Queue = new(Receiver, "i");

    private readonly FakeTimeProvider time = new();
    private readonly TemporaryFolder folder = new();

    private string Folder => folder.File("queues");

    private string JournalFile => Path.Combine(Folder, "messages.journal");

    [Fact]
    public async Task Reopened_WhatWaited_WaitsInTheSameOrderAndIsTheSame()
    {
        var message = new HubMessage(
            "/messages/modules/ü/outputs/o",
            MessageBag.Empty.With("messageId", "m ü").With("contentType", "application/json"),
            MessageBag.Empty.With("", "empty name").With("k", ""),
            new byte[] { 0, 255, 10, 13 }
        );
        using (var store = Open())
        {
            await store.EnqueueAsync(Queue, TestMessages.Of("late"), 5, null, default);
            await store.EnqueueAsync(Queue, message, 0, null, default);
            await store.EnqueueAsync(new(new("device"), null), TestMessages.Of("cloud"), 0, null, default);
        }

        using var next = Open();

        var first = next.Peek(Receiver)!;
        first.Message.Source.ShouldBe(message.Source);
        first.Message.System.ShouldBe(message.System, ignoreOrder: true);
        first.Message.Properties.ShouldBe(message.Properties, ignoreOrder: true);
        first.Message.Body.ToArray().ShouldBe(message.Body.ToArray());
        next.Complete(first);
        TestMessages.TextOf(next.Peek(Receiver)!.Message).ShouldBe("late");
        TestMessages.TextOf(next.Peek(new("device"))!.Message).ShouldBe("cloud");
    }

    [Fact]
    public async Task Reopened_WhatLeft_DoesNotComeBack()
    {
        using (var store = Open())
        {
            await FillAsync(store, "taken", "purged", "expired", "waits");
            store.Complete(store.Peek(Receiver)!);
            await store.EnqueueAsync(new(Receiver, "j"), TestMessages.Of("x"), 0, null, default);
            store.Purge(new(Receiver, "j"));
            store.Complete(store.Peek(Receiver)!);
            store.Complete(store.Peek(Receiver)!);
            await store.EnqueueAsync(Queue, TestMessages.Of("short"), 0, TimeSpan.FromSeconds(10), default);
        }
        time.Advance(TimeSpan.FromSeconds(10));

        using var next = Open();

        Drain(next).ShouldBe(["waits"]);
    }

    [Fact]
    public async Task Reopened_AfterAKillAtAnyByte_HasEveryWholeMessageAndTakesMore()
    {
        using (var store = Open())
        {
            await FillAsync(store, "one", "two");
            store.Complete(store.Peek(Receiver)!);
            await FillAsync(store, "three");
        }
        var whole = await File.ReadAllBytesAsync(JournalFile);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var length = 0; length <= whole.Length; length++)
        {
            await File.WriteAllBytesAsync(JournalFile, whole[..length]);
            using (var store = Open())
            {
                await FillAsync(store, "four");
            }
            using var next = Open();
            seen.Add(string.Join(' ', Drain(next)));
        }

        // Of a message that was on disk nothing is lost, whatever follows it.
        seen.ShouldBe(["four", "one four", "one two four", "two four", "two three four"], ignoreOrder: true);
    }

    [Fact]
    public async Task Reopened_DamagedByte_EndsWhereItIs()
    {
        using (var store = Open())
        {
            await FillAsync(store, "one", "two", "three");
        }
        var bytes = await File.ReadAllBytesAsync(JournalFile);
        bytes[bytes.AsSpan().IndexOf("two"u8)] ^= 1;
        await File.WriteAllBytesAsync(JournalFile, bytes);

        using var next = Open();

        Drain(next).ShouldBe(["one"]);
    }

    [Fact]
    public async Task MuchLeft_FileIsWrittenAnew_AndStaysSmall()
    {
        const int garbage = 20_000;
        using (var store = Open(garbage))
        {
            await FillAsync(store, "stays");
            for (var i = 0; i < 200; i++)
            {
                await store.EnqueueAsync(new(Receiver, "j"), TestMessages.Of(new string('x', 1000)), 0, null, default);
                store.Purge(new(Receiver, "j"));
            }
            await FillAsync(store, "last");
        }

        new FileInfo(JournalFile).Length.ShouldBeLessThan(2 * garbage);
        using var next = Open();
        Drain(next).ShouldBe(["stays", "last"]);
    }

    [Fact]
    public async Task Reopened_NewMessages_StandBehindTheOld()
    {
        for (var run = 1; run <= 3; run++)
        {
            using var store = Open();
            await FillAsync(store, $"run {run}");
        }

        using var next = Open();

        Drain(next).ShouldBe(["run 1", "run 2", "run 3"]);
    }

    public void Dispose() => folder.Dispose();

    private MessageStore Open(long garbage = NoRewriting) =>
        new(1_000_000, new(Folder, garbage, NullLogger.Instance), time);

    private static async Task FillAsync(MessageStore store, params string[] texts)
    {
        foreach (var text in texts)
        {
            await store.EnqueueAsync(Queue, TestMessages.Of(text), 0, null, default);
        }
    }

    private static List<string> Drain(MessageStore store)
    {
        var texts = new List<string>();
        while (store.Peek(Receiver) is { } next)
        {
            texts.Add(TestMessages.TextOf(next.Message));
            store.Complete(next);
        }
        return texts;
    }
}
