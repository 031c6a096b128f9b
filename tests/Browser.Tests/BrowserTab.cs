using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace EdgeDm.Browser.Tests;

/// <summary>A tab: what a person at the keyboard does and sees, and what went wrong in it.</summary>
internal sealed class BrowserTab
{
    private const int Control = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly Dictionary<string, (int Code, string? Text)> NamedKeys = new(StringComparer.Ordinal)
    {
        ["Tab"] = (9, null),
        ["Enter"] = (13, "\r"),
        ["Escape"] = (27, null),
        ["Delete"] = (46, null),
        ["Home"] = (36, null),
    };

    private readonly DevTools tools;
    private readonly string session;
    private readonly ConcurrentQueue<string> errors = new();
    private readonly ConcurrentQueue<string> requests = new();

    private BrowserTab(DevTools tools, string session)
    {
        this.tools = tools;
        this.session = session;
    }

    /// <summary>What the page wrote as an error, and what it threw.</summary>
    public IReadOnlyCollection<string> Errors => errors;

    /// <summary>Addresses that were asked for.</summary>
    public IReadOnlyCollection<string> Requests => requests;

    public static async Task<BrowserTab> OpenAsync(DevTools tools)
    {
        var target = await tools.CallAsync("Target.createTarget", new() { ["url"] = "about:blank" });
        var attached = await tools.CallAsync(
            "Target.attachToTarget",
            new() { ["targetId"] = (string)target["targetId"]!, ["flatten"] = true }
        );
        var tab = new BrowserTab(tools, (string)attached["sessionId"]!);
        tools.Happened += tab.Note;
        foreach (var domain in new[] { "Page", "Runtime", "Log", "Network", "Accessibility" })
        {
            await tab.CallAsync($"{domain}.enable");
        }
        return tab;
    }

    public Task<JsonObject> CallAsync(string method, JsonObject? parameters = null) =>
        tools.CallAsync(method, parameters, session);

    public Task GoAsync(string address) => CallAsync("Page.navigate", new() { ["url"] = address });

    /// <summary>As large as a window, in pixels of a page.</summary>
    public Task ResizeAsync(int width, int height) =>
        CallAsync(
            "Emulation.setDeviceMetricsOverride",
            new()
            {
                ["width"] = width,
                ["height"] = height,
                ["deviceScaleFactor"] = 1,
                ["mobile"] = false,
            }
        );

    /// <summary>What the system's theme is: <c>light</c> or <c>dark</c>.</summary>
    public Task PreferAsync(string theme) =>
        CallAsync(
            "Emulation.setEmulatedMedia",
            new()
            {
                ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = theme }),
            }
        );

    /// <summary>The value of an expression.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        var answer = await CallAsync(
            "Runtime.evaluate",
            new()
            {
                ["expression"] = expression,
                ["returnByValue"] = true,
                ["awaitPromise"] = true,
            }
        );
        answer["exceptionDetails"].ShouldBeNull(expression);
        return answer["result"]!["value"]?.DeepClone();
    }

    /// <summary>Waits until an expression is true; the page itself looks at each change of the document.</summary>
    public async Task WaitAsync(string expression)
    {
        var waits = $$"""
            new Promise((done) => {
              const look = () => { try { if ({{expression}}) { clearInterval(timer); done(true); } } catch { } };
              const timer = setInterval(look, 50);
              setTimeout(() => { clearInterval(timer); done(false); }, {{(int)Patience.TotalMilliseconds - 10_000}});
              look();
            })
            """;
        var came = (bool)(await EvaluateAsync(waits))!;
        came.ShouldBeTrue(
            $"{expression}; the page: {await EvaluateAsync("document.body.innerText")}; errors: {string.Join(" | ", errors)}"
        );
    }

    /// <summary>Presses a key: a named one, or a character.</summary>
    public async Task PressAsync(string key, bool control = false)
    {
        var (code, text) = NamedKeys.TryGetValue(key, out var named)
            ? named
            : (char.IsAsciiLetterOrDigit(key[0]) ? char.ToUpperInvariant(key[0]) : 0, key);
        var press = new JsonObject
        {
            ["type"] = text is null || control ? "rawKeyDown" : "keyDown",
            ["key"] = key,
            ["windowsVirtualKeyCode"] = code,
            ["modifiers"] = control ? Control : 0,
        };
        if (text is not null && !control)
        {
            press["text"] = text;
        }
        if (control && key == "a")
        {
            press["commands"] = new JsonArray("selectAll");
        }
        await CallAsync("Input.dispatchKeyEvent", press);
        await CallAsync(
            "Input.dispatchKeyEvent",
            new()
            {
                ["type"] = "keyUp",
                ["key"] = key,
                ["windowsVirtualKeyCode"] = code,
                ["modifiers"] = control ? Control : 0,
            }
        );
    }

    public async Task TypeAsync(string text)
    {
        foreach (var character in text)
        {
            await PressAsync(character.ToString());
        }
    }

    /// <summary>Goes with the Tab key to the element of this id, which must show that it has the focus.</summary>
    public async Task TabToAsync(string id)
    {
        const int Most = 60;
        for (var presses = 0; presses < Most; presses++)
        {
            await PressAsync("Tab");
            if ((string?)await EvaluateAsync("document.activeElement?.id") == id)
            {
                ((string)(await EvaluateAsync("getComputedStyle(document.activeElement).outlineStyle"))!).ShouldNotBe(
                    "none"
                );
                return;
            }
        }
        throw new InvalidOperationException($"#{id} cannot be reached with {Most} Tabs.");
    }

    public async Task<byte[]> ScreenshotAsync() =>
        Convert.FromBase64String((string)(await CallAsync("Page.captureScreenshot"))["data"]!);

    private void Note(string method, JsonObject happened)
    {
        switch (method)
        {
            case "Runtime.exceptionThrown":
                errors.Enqueue(happened["exceptionDetails"]!.ToJsonString());
                break;
            case "Log.entryAdded" when (string?)happened["entry"]!["level"] == "error":
                errors.Enqueue(happened["entry"]!.ToJsonString());
                break;
            case "Runtime.consoleAPICalled" when (string?)happened["type"] is "error" or "assert":
                errors.Enqueue(happened["args"]!.ToJsonString());
                break;
            case "Network.requestWillBeSent":
                requests.Enqueue((string)happened["request"]!["url"]!);
                break;
        }
    }
}
