using System.Text.Json.Nodes;
using EdgeDm.EndToEnd.Tests;
using EdgeDm.Testing;

namespace EdgeDm.Browser.Tests;

// The dev hub's page in a real browser, with a gateway of real modules that downloads an update.
public sealed class PageTests
{
    /// <summary>Where in the repository the screenshots go; not set = beside this program.</summary>
    private const string ScreenshotsVariable = "EDGEDM_TEST_SCREENSHOTS";

    private const string Installs =
        "document.querySelector('#running-job')?.textContent.includes('install') && document.querySelector('#running-job progress')?.value > 0";

    [Fact]
    public async Task Page_GatewayWithARunningJob_IsShownAndLedByTheKeyboard()
    {
        Assert.SkipWhen(Chromium.Obstacle is not null, $"The page is NOT tested in a browser. {Chromium.Obstacle}");
        await using var gateway = await Gateway.StartAsync("--set-env", "DeviceManagement:EDGEDM_PROGRESS_SECONDS=1");
        await using var chromium = await Chromium.StartAsync(Path.Combine(gateway.DataFolder, "ca", "server.pem"));
        var tab = await chromium.OpenTabAsync();
        await tab.ResizeAsync(1100, 760);

        await tab.GoAsync(AddressIn(gateway.Output));
        await tab.WaitAsync("document.querySelector('#summary').textContent.startsWith('4 of 4 modules run')");
        await gateway.Service.ScheduleTwinJobAsync("line-4", "tags.line = 4", new() { ["a"] = 1 });
        await BeginUpdateAsync(gateway);
        await tab.WaitAsync(Installs);
        var shown = await ShouldLookAlikeInBothThemesAsync(tab);
        shown.ShouldContain("Firmware update: updating, install");
        foreach (var module in Gateway.Modules)
        {
            shown.ShouldContain(module);
        }
        shown.ShouldContain("$upstream");
        shown.ShouldNotContain("token=");

        await EditTwinAsync(tab, gateway);
        await CallMethodAsync(tab);
        await SeeJobAsync(tab);
        await SeeMessagesAsync(tab);
        await ShouldFitASmallScreenAsync(tab);
        await ShouldNameEverythingAsync(tab);

        // Chromium tells of the one refusal that was wanted.
        tab.Errors.ShouldHaveSingleItem().ShouldContain("the server responded with a status of 400");
        var hub = $"https://127.0.0.1:{gateway.Ports.Https}/devhub/page";
        tab.Requests.ShouldAllBe(address => address.StartsWith(hub, StringComparison.Ordinal));
    }

    // It takes longer to install than the test to look.
    private static Task BeginUpdateAsync(Gateway gateway) =>
        gateway.Service.DesireAsync(
            new()
            {
                ["firmwareUpdate"] = gateway.Publisher.Publish(
                    gateway.FilesFolder,
                    gateway.Files.Url,
                    "2.0.0",
                    UpdatePublisher.GoodScript,
                    "w1",
                    installSeconds: 300
                ),
            }
        );

    private static string AddressIn(string output) =>
        output
            .Split('\n')
            .Single(line => line.Contains("/devhub/page/start?token=", StringComparison.Ordinal))
            .Split(' ')[^1];

    private static async Task EditTwinAsync(BrowserTab tab, Gateway gateway)
    {
        await tab.PressAsync("2");
        await tab.WaitAsync("document.querySelector('#twin-text').value !== ''");
        await tab.TabToAsync("twin-choice");
        await tab.TypeAsync("gateway/F");
        await tab.WaitAsync("location.hash === '#twins/gateway/FirmwareDownload'");
        await tab.WaitAsync("!document.querySelector('#twin-text').value.includes('updateManifest')");
        await tab.TabToAsync("twin-text");

        await tab.PressAsync("a", control: true);
        await tab.TypeAsync("""{"by.keyboard":true}""");
        await tab.PressAsync("s", control: true);
        await tab.WaitAsync("document.querySelector('#twin-error').textContent.includes('by.keyboard')");

        await tab.PressAsync("a", control: true);
        await tab.TypeAsync("""{"by":"keyboard"}""");
        await tab.PressAsync("s", control: true);
        await tab.WaitAsync("document.querySelector('#twin-saved').textContent.startsWith('Saved')");
        var twin = await gateway.Service.TwinAsync("FirmwareDownload");
        ((string?)twin["properties"]!["desired"]!["by"]).ShouldBe("keyboard");
    }

    private static async Task CallMethodAsync(BrowserTab tab)
    {
        await tab.EvaluateAsync("document.activeElement.blur()");
        await tab.PressAsync("3");
        await tab.TabToAsync("method-module");
        await tab.TypeAsync("gateway/D");
        await tab.TabToAsync("method-name");
        await tab.TypeAsync("queryJobs");
        await tab.TabToAsync("method-payload");
        await tab.TypeAsync("""{"maxCount":1}""");
        await tab.PressAsync("Enter", control: true);
        await tab.WaitAsync("document.querySelector('#method-status').textContent.startsWith('status 200')");
        var answer = JsonNode.Parse(
            (string)(await tab.EvaluateAsync("document.querySelector('#method-answer').textContent"))!
        )!;
        ((string?)answer["jobs"]![0]!["type"]).ShouldBe("firmwareUpdate");
    }

    private static async Task SeeJobAsync(BrowserTab tab)
    {
        await tab.EvaluateAsync("document.activeElement.blur()");
        await tab.PressAsync("4");
        await tab.WaitAsync("document.querySelector('#job-rows .running') !== null");
        await tab.WaitAsync("document.querySelector('#job-rows progress').value > 0");
        await tab.WaitAsync("document.querySelector('#scheduled-rows').textContent.includes('tags.line = 4')");
    }

    private static async Task SeeMessagesAsync(BrowserTab tab)
    {
        await tab.PressAsync("/");
        await tab.WaitAsync("document.activeElement.id === 'message-filter'");
        await tab.WaitAsync("document.querySelectorAll('#message-rows li').length > 0");
        await tab.TypeAsync("no message has this");
        await tab.WaitAsync("document.querySelectorAll('#message-rows li').length === 0");
    }

    private static async Task<string> ShouldLookAlikeInBothThemesAsync(BrowserTab tab)
    {
        var looks = new Dictionary<string, (string Structure, double Back, string Text)>(StringComparer.Ordinal);
        foreach (var theme in new[] { "light", "dark" })
        {
            await tab.PreferAsync(theme);
            var structure = (string)(await tab.EvaluateAsync(Structure))!;
            var text = (string)
                (await tab.EvaluateAsync("document.body.innerText + document.querySelector('#graph').textContent"))!;
            looks[theme] = (structure, (double)(await tab.EvaluateAsync(Brightness))!, text);
            var folder = Environment.GetEnvironmentVariable(ScreenshotsVariable) is { } asked
                ? Path.Combine(RepositoryRoot.Path, asked)
                : AppContext.BaseDirectory;
            await File.WriteAllBytesAsync(
                Path.Combine(folder, $"dev-hub-page-{theme}.png"),
                await tab.ScreenshotAsync()
            );
        }
        await tab.PreferAsync("light");
        looks["light"].Structure.ShouldBe(looks["dark"].Structure);
        looks["light"].Back.ShouldBeGreaterThan(200);
        looks["dark"].Back.ShouldBeLessThan(60);
        return looks["light"].Text;
    }

    private static async Task ShouldFitASmallScreenAsync(BrowserTab tab)
    {
        await tab.ResizeAsync(360, 740);
        foreach (var view in new[] { "overview", "twins", "methods", "jobs", "messages" })
        {
            await tab.EvaluateAsync($"location.hash = '{view}'");
            await tab.WaitAsync($"!document.querySelector('#{view}').hidden");
            ((int)(await tab.EvaluateAsync("document.documentElement.scrollWidth"))!).ShouldBeLessThanOrEqualTo(
                360,
                view
            );
        }
        await tab.ResizeAsync(1100, 760);
    }

    private static async Task ShouldNameEverythingAsync(BrowserTab tab)
    {
        foreach (var view in new[] { "overview", "twins", "methods", "jobs", "messages" })
        {
            await tab.EvaluateAsync($"location.hash = '{view}'");
            await tab.WaitAsync($"!document.querySelector('#{view}').hidden");
            var tree = await tab.CallAsync("Accessibility.getFullAXTree");
            var led = tree["nodes"]!
                .AsArray()
                .Where(node => !(bool)node!["ignored"]!)
                .Where(node =>
                    (string?)node!["role"]?["value"]
                        is "button"
                            or "link"
                            or "textbox"
                            or "searchbox"
                            or "combobox"
                            or "checkbox"
                            or "spinbutton"
                            or "progressbar"
                )
                .ToList();
            led.Count.ShouldBeGreaterThan(5);
            led.Where(node => string.IsNullOrWhiteSpace((string?)node!["name"]?["value"]))
                .Select(node => node!.ToJsonString())
                .ShouldBeEmpty();
        }
    }

    private const string Structure = """
        [...document.body.querySelectorAll('*')]
          .filter((e) => e.checkVisibility() && !e.closest('svg'))
          .map((e) => `${e.tagName}#${e.id}`)
          .join(' ')
        """;

    // Of the page's back, 0 to 255.
    private const string Brightness = """
        getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3
        """;
}
